import type { ListedJob } from '../../../lib/client/client.ts'
import { isTime } from '../time.ts'

/** The rows of the table. What did not change is the same object as before, so that it is not drawn anew. */
export interface Sections {
  /** Newest first. */
  running: readonly ListedJob[]
  /** All others, newest first, in pieces: few are touched by a change. There is always one. */
  chunks: readonly Chunk[]
}

export interface Chunk {
  key: number
  /** Its jobs have this id or later ones. */
  from: string
  jobs: readonly ListedJob[]
}

export interface JobChange {
  job: ListedJob
  /** Whether it is to be shown. */
  isWanted: boolean
}

export const NO_JOBS: Sections = { running: [], chunks: [{ key: 0, from: '', jobs: [] }] }

/** What is told later may be older than what is known; a job never goes back. */
export const mergeJobs = (sections: Sections, changes: Iterable<JobChange>): Sections => {
  let { running, chunks } = sections
  for (const { job, isWanted } of changes) {
    const known = findJob({ running, chunks }, job.id)
    if (known && progress(job) <= progress(known)) continue
    if (known?.state === 'running') running = without(running, job.id)
    else if (known) chunks = changeChunk(chunks, job.id, jobs => without(jobs, job.id))
    if (!isWanted) continue
    if (job.state === 'running') running = withJob(running, job)
    else chunks = changeChunk(chunks, job.id, jobs => withJob(jobs, job))
  }
  return running === sections.running && chunks === sections.chunks ? sections : { running, chunks }
}

/** Without those that are not to be kept. */
export const keepJobs = (sections: Sections, isKept: (job: ListedJob) => boolean): Sections => {
  const kept = (jobs: readonly ListedJob[]) => (jobs.every(isKept) ? jobs : jobs.filter(isKept))
  const chunks = sections.chunks.map(chunk => {
    const jobs = kept(chunk.jobs)
    return jobs === chunk.jobs ? chunk : { ...chunk, jobs }
  })
  return { running: kept(sections.running), chunks: withoutEmpty(chunks) }
}

/** Begins a chunk for older jobs, so that those which are there stay as they are. */
export const sealLast = (sections: Sections): Sections => {
  const last = sections.chunks.at(-1)!
  const oldest = last.jobs.at(-1)
  if (!oldest) return sections
  const sealed = { ...last, from: oldest.id }
  const chunks = [...sections.chunks.slice(0, -1), sealed]
  return { ...sections, chunks: [...chunks, { key: nextKey(chunks), from: '', jobs: [] }] }
}

/** The newest chunks alone, with at least so many jobs if there are. */
export const keepNewest = (sections: Sections, least: number): Sections => {
  let count = 0
  const kept = sections.chunks.filter(({ jobs }) => {
    const isKept = count < least
    count += jobs.length
    return isKept
  })
  if (kept.length === sections.chunks.length) return sections
  return { ...sections, chunks: [...kept.slice(0, -1), { ...kept.at(-1)!, from: '' }] }
}

/** In the order of the rows. */
export const allJobs = ({ running, chunks }: Sections): ListedJob[] => [
  ...running,
  ...chunks.flatMap(({ jobs }) => jobs),
]

export const countEnded = ({ chunks }: Sections): number =>
  chunks.reduce((count, { jobs }) => count + jobs.length, 0)

export const findJob = ({ running, chunks }: Sections, id: string): ListedJob | undefined => {
  const { jobs } = chunks.find(({ from }) => from <= id)!
  return [jobs[placeOf(jobs, id)], running[placeOf(running, id)]].find(job => job?.id === id)
}

/** Created, started, ended. */
const progress = ({ state, startTime }: ListedJob): number => {
  if (state !== 'running') return 2
  return isTime(startTime) ? 1 : 0
}

const changeChunk = (
  chunks: readonly Chunk[],
  id: string,
  change: (jobs: readonly ListedJob[]) => readonly ListedJob[],
): readonly Chunk[] => {
  const at = chunks.findIndex(({ from }) => from <= id)
  const chunk = chunks[at]!
  const jobs = change(chunk.jobs)
  if (jobs.length < MOST_IN_CHUNK) return withoutEmpty(chunks.with(at, { ...chunk, jobs }))
  // The newer half is the new one: more jobs come there.
  const newer = jobs.slice(0, MOST_IN_CHUNK / 2)
  const older = { ...chunk, jobs: jobs.slice(MOST_IN_CHUNK / 2) }
  return chunks.toSpliced(at, 1, { key: nextKey(chunks), from: newer.at(-1)!.id, jobs: newer }, older)
}

/** The last stays: it is for all that is older. */
const withoutEmpty = (chunks: readonly Chunk[]): readonly Chunk[] =>
  chunks.filter(({ jobs }, at) => jobs.length > 0 || at === chunks.length - 1)

const nextKey = (chunks: readonly Chunk[]): number => Math.max(...chunks.map(({ key }) => key)) + 1

const MOST_IN_CHUNK = 100

const withJob = (jobs: readonly ListedJob[], job: ListedJob): readonly ListedJob[] =>
  jobs.toSpliced(placeOf(jobs, job.id), 0, job)

const without = (jobs: readonly ListedJob[], id: string): readonly ListedJob[] =>
  jobs.toSpliced(placeOf(jobs, id), 1)

/** Where the job with this id is, or belongs; newest first. */
const placeOf = (jobs: readonly ListedJob[], id: string): number => {
  let [low, high] = [0, jobs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (jobs[middle]!.id > id) low = middle + 1
    else high = middle
  }
  return low
}
