import { batch, type ReadonlySignal, signal } from '@preact/signals'
import type { AgentClient, ClientError, ListedJob } from '../../../lib/client/client.ts'
import { type JobFilter, listOf, queryOf } from './filter.ts'
import type { JobFeed } from './job-feed.ts'
import { isRelative, matchOf } from './match.ts'
import { readList } from './read-list.ts'
import {
  allJobs,
  countEnded,
  findJob,
  type JobChange,
  keepJobs,
  keepNewest,
  mergeJobs,
  NO_JOBS,
  type Sections,
  sealLast,
} from './sections.ts'
import { createTextAnswers } from './text-answers.ts'

export interface JobListOptions {
  client: Pick<AgentClient, 'list'>
  feed: Pick<JobFeed, 'subscribe' | 'begun'>
  filter: JobFilter
  /** The agent's clock, in milliseconds. */
  now(): number
  /** Whether old rows may go to make room: nobody looks at them. */
  mayForget(): boolean
}

/** The jobs that match a filter, as they are now: all that run, and the newest of the others. */
export interface JobList {
  sections: ReadonlySignal<Sections>
  /** Whether the agent has answered, be it with a refusal. */
  isRead: ReadonlySignal<boolean>
  /** Why it was not listed, when it was asked last. */
  fault: ReadonlySignal<ClientError | undefined>
  hasOlder: ReadonlySignal<boolean>
  isReadingOlder: ReadonlySignal<boolean>
  /** Reads them, and follows what happens to them, until it is closed. */
  follow(): void
  readOlder(): Promise<void>
  /** Lets go of those that have become too old for the filter. */
  dropOld(): void
  close(): void
}

export const createJobList = ({ client, feed, filter, now, mayForget }: JobListOptions): JobList => {
  const sections = signal(NO_JOBS)
  const isRead = signal(false)
  const fault = signal<ClientError | undefined>(undefined)
  const hasOlder = signal(false)
  const isReadingOlder = signal(false)
  const over = new AbortController()
  /** Older ones come before this id. */
  let next: string | undefined
  /** What has changed while the list is read, which its answer may not know. */
  let meanwhile: JobChange[] | undefined
  let willRead = false
  /** The agent does not take the filter: nothing matches. */
  let isRefused = false
  let unsubscribe = (): void => {}

  const show = (shown: Sections, before: string | undefined): void => {
    next = before
    hasOlder.value = before !== undefined
    sections.value = shown
  }

  const onJobs = (jobs: readonly ListedJob[]): void => {
    if (isRefused) return
    const changes: JobChange[] = []
    for (const job of jobs) {
      const isWanted = isMatch(job)
      if (isWanted !== undefined) changes.push({ job, isWanted })
    }
    meanwhile?.push(...changes)
    const merged = mergeJobs(sections.value, changes)
    const most = mayForget() ? MANY : MOST
    if (countEnded(merged) <= most) sections.value = merged
    else {
      const kept = keepNewest(merged, most / 2)
      show(kept, allJobs(kept).at(-1)!.id)
    }
  }
  /** Undefined when it is not known yet. */
  const isMatch = (job: ListedJob): boolean | undefined => {
    const match = matchOf(filter, job, now())
    if (match !== 'unseen') return match === 'yes'
    return findJob(sections.value, job.id) !== undefined || hasText(job)
  }
  const hasText = createTextAnswers({ client, text: filter.q, signal: over.signal, onAnswer: onJobs })

  /** One reading at a time, so that none undoes what comes of another. */
  let turn = feed.begun
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    turn = turn.then(act)
    return turn
  }

  const read = (): void => {
    if (willRead) return
    willRead = true
    void inTurn(readAnew)
  }
  const readAnew = async (): Promise<void> => {
    willRead = false
    meanwhile = []
    const query = queryOf(filter)
    const { signal } = over
    const least = Math.min(MANY, Math.max(FIRST, countEnded(sections.value)))
    const newest = await readList(client, query, { least, signal })
    const mayHaveMoreRunning = filter.state === '' || listOf(filter.state).includes('running')
    const running =
      newest.ok && newest.value.next !== undefined && mayHaveMoreRunning
        ? await readList(client, { ...query, state: 'running' }, { least: Number.POSITIVE_INFINITY, signal })
        : undefined
    const changes = meanwhile
    meanwhile = undefined
    if (signal.aborted) return
    batch(() => {
      isRead.value = true
      fault.value = [newest, running].find(read => read?.ok === false)?.error
      isRefused = fault.value?.status === 400
      if (isRefused) show(NO_JOBS, undefined)
      if (!newest.ok || running?.ok === false) return
      const listed = new Map<string, ListedJob>()
      for (const job of [...newest.value.jobs, ...(running?.value.jobs ?? [])]) listed.set(job.id, job)
      const kept = keepJobs(sections.value, ({ id }) => listed.has(id))
      const read = [...listed.values()].map(job => ({ job, isWanted: true }))
      show(mergeJobs(kept, [...read, ...changes]), newest.value.next)
    })
  }

  const readNext = async (): Promise<void> => {
    const before = next
    if (before === undefined) return
    const older = await readList(client, queryOf(filter), { least: PAGE, before, signal: over.signal })
    if (over.signal.aborted) return
    if (next !== before) return readNext() // Old ones have gone meanwhile.
    batch(() => {
      fault.value = older.ok ? undefined : older.error
      if (!older.ok) return
      const changes = older.value.jobs.map(job => ({ job, isWanted: true }))
      show(mergeJobs(sealLast(sections.value), changes), older.value.next)
    })
  }

  return {
    sections,
    isRead,
    fault,
    hasOlder,
    isReadingOlder,

    follow() {
      unsubscribe = feed.subscribe({ onJobs, onReset: read })
      read()
    },

    async readOlder() {
      if (isReadingOlder.peek()) return
      isReadingOlder.value = true
      await inTurn(readNext)
      isReadingOlder.value = false
    },

    dropOld() {
      if (isRelative(filter.since))
        sections.value = keepJobs(sections.value, job => matchOf(filter, job, now()) !== 'no')
    },

    close() {
      over.abort()
      unsubscribe()
    },
  }
}

const FIRST = 50
const PAGE = 100
/** From so many on old rows go, and half of them stay, while one looks at the newest… */
const MANY = 2000
/** …and while one looks at the others. */
const MOST = 20_000
