import { type AgentClient, ClientError, type JobQuery, type ListedJob } from '../../lib/client/client.ts'
import { askHost, unwrap } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { failureLine } from './failure.ts'
import type { NamedHost } from './which-host.ts'

/** Page by page, the newest first; each may take `pageMs` milliseconds, which is for ever by default. */
export const listJobs = async (
  client: Pick<AgentClient, 'list'>,
  query: JobQuery,
  number: number,
  pageMs?: number,
): Promise<ListedJob[]> => {
  const jobs: ListedJob[] = []
  while (jobs.length < number) {
    const limit = Math.min(PAGE, number - jobs.length)
    const last = jobs.at(-1)
    const signal = pageMs === undefined ? undefined : AbortSignal.timeout(pageMs)
    const listed = await client.list({ ...query, limit, ...(last ? { before: last.id } : {}) }, { signal })
    if (signal?.aborted && !listed.ok)
      throw new ClientError('unreachable', `no answer within ${pageMs! / 1000} s`)
    const page = unwrap(listed)
    for (const job of page) jobs.push(job)
    if (page.length < limit) break
  }
  return jobs
}

/** What an agent gives at most. */
const PAGE = 200
/** One host that is silent, or slow without end, does not keep what the others have answered. */
const PAGE_MS = 10_000

export type JobOfHost = ListedJob & { host: string }

/** The newest of all hosts; one that cannot be asked is told of and hinders no other, and newdt ends with 1. */
export const listOnHosts = async (
  cli: Cli,
  hosts: readonly NamedHost[],
  query: JobQuery,
  number: number,
  pageMs = PAGE_MS,
): Promise<JobOfHost[]> => {
  const listOf = async ({ name, load }: NamedHost): Promise<JobOfHost[]> => {
    try {
      const { client } = await askHost(await load())
      return (await listJobs(client, query, number, pageMs)).map(job => ({ host: name, ...job }))
    } catch (error) {
      cli.exitCode = 1
      await tell(cli, `${name}: ${failureLine(error)}`)
      return []
    }
  }
  const lists = await Promise.all(hosts.map(listOf))
  // Ids sort by time.
  return lists
    .flat()
    .sort((a, b) => Number(a.id < b.id) - Number(a.id > b.id))
    .slice(0, number)
}
