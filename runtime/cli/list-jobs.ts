import type { AgentClient, JobQuery, ListedJob } from '../../lib/client/client.ts'
import { askHost, unwrap } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { failureLine } from './failure.ts'
import type { NamedHost } from './which-host.ts'

/** Page by page, the newest first. */
export const listJobs = async (
  client: Pick<AgentClient, 'list'>,
  query: JobQuery,
  number: number,
): Promise<ListedJob[]> => {
  const jobs: ListedJob[] = []
  while (jobs.length < number) {
    const limit = Math.min(PAGE, number - jobs.length)
    const last = jobs.at(-1)
    const page = unwrap(await client.list({ ...query, limit, ...(last ? { before: last.id } : {}) }))
    jobs.push(...page)
    if (page.length < limit) break
  }
  return jobs
}

/** What an agent gives at most. */
const PAGE = 200

export type JobOfHost = ListedJob & { host: string }

/** The newest of all hosts; one that cannot be asked is told of and hinders no other, and newdt ends with 1. */
export const listOnHosts = async (
  cli: Cli,
  hosts: readonly NamedHost[],
  query: JobQuery,
  number: number,
): Promise<JobOfHost[]> => {
  const listOf = async ({ name, load }: NamedHost): Promise<JobOfHost[]> => {
    try {
      const { client } = await askHost(await load())
      return (await listJobs(client, query, number)).map(job => ({ host: name, ...job }))
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
