import type { AgentClient, JobQuery, ListedJob, Result } from '../../../lib/client/client.ts'

export interface JobsRead {
  jobs: ListedJob[]
  /** The id to go on before; undefined when there are no more. */
  next: string | undefined
}

/** At least so many jobs, newest first, if there are; page by page. */
export const readList = async (
  client: Pick<AgentClient, 'list'>,
  query: JobQuery,
  { least, before, signal }: { least: number; before?: string | undefined; signal: AbortSignal },
): Promise<Result<JobsRead>> => {
  const jobs: ListedJob[] = []
  let next = before
  while (true) {
    const limit = Math.min(MOST_IN_PAGE, Math.max(LEAST_IN_PAGE, least - jobs.length))
    const listed = await client.list({ ...query, limit, ...(next ? { before: next } : {}) }, { signal })
    if (!listed.ok) return listed
    jobs.push(...listed.value)
    next = listed.value.length < limit ? undefined : listed.value.at(-1)!.id
    if (next === undefined || jobs.length >= least) return { ok: true, value: { jobs, next } }
  }
}

/** What an agent gives at most. */
const MOST_IN_PAGE = 200
const LEAST_IN_PAGE = 50
