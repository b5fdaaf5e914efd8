import { setImmediate } from 'node:timers/promises'
import type { PassingMap } from '../base/passing-map.ts'
import type { LivingProcess, Processes, Usage } from '../process/types.ts'
import { NO_USAGE } from '../process/types.ts'
import type { JobQuery, JobStore } from '../store/job-store.ts'
import type { OutputTotals } from '../store/output-store.ts'
import type { ActiveJob } from './active-job.ts'
import type { Job, JobRecord } from './job.ts'
import { firstIdAt } from './job-id.ts'
import type { Lifecycle } from './lifecycle.ts'

/** A job, wherever it was found. */
export interface FoundJob {
  number: number
  mark: number
  job: Job
  totals: OutputTotals
  /** Of a job that runs, or has ended just now. */
  active?: ActiveJob | undefined
}

/** Which jobs to list. */
export interface JobListQuery extends Omit<JobQuery, 'from'> {
  /** Created at this time or later, in milliseconds… */
  sinceMs?: number | undefined
  /** …and before this one. */
  untilMs?: number | undefined
}

export interface JobLookupOptions {
  /** By id. */
  active: Pick<PassingMap<string, ActiveJob>, 'get'>
  lifecycle: Pick<Lifecycle, 'findUnstored' | 'recordStarts'>
  jobStore: Pick<JobStore, 'find' | 'list'>
  processes: Pick<Processes, 'find' | 'usage'>
}

/** Looks jobs up, whether they run, have ended, or are of an earlier life of the agent. */
export const createJobLookup = ({ active, lifecycle, jobStore, processes }: JobLookupOptions) => {
  const ofActive = (one: ActiveJob): FoundJob => {
    if (one.job.state === 'running') one.capture.refresh()
    const { number, job, execution } = one
    return { number, mark: execution.mark, job, totals: one.capture.totals(), active: one }
  }

  /** The newest that is known of a job which the store may still have as running. */
  const settled = (stored: FoundJob): FoundJob => {
    if (stored.job.state !== 'running') return stored
    const one = active.get(stored.job.id)
    if (one) return { ...stored, job: one.job, totals: one.capture.totals(), active: one }
    return { ...stored, ...lifecycle.findUnstored(stored.job.id) }
  }

  /** Who is told of a running job must not be told otherwise by an agent that comes after this one. */
  const recordStart = ({ state }: Job): void => {
    if (state === 'running') lifecycle.recordStarts()
  }

  const processesOf = ({ job, mark }: FoundJob): Promise<LivingProcess[]> => {
    recordStart(job)
    if (job.state === 'running') return processes.find({ marks: new Set([mark]), pid: job.pid })
    return hasLeftovers(job) ? processes.find({ marks: new Set([mark]), pid: 0 }) : NO_PROCESSES
  }

  return {
    /** As it is now, for somebody who is told. */
    told(one: ActiveJob): FoundJob {
      recordStart(one.job)
      return ofActive(one)
    },

    /** For somebody who is told of one that runs see `told`. */
    find(id: string): FoundJob | undefined {
      const one = active.get(id)
      if (one) return ofActive(one)
      const stored = jobStore.find(id)
      return stored && settled(stored)
    },

    /** As a list has it: at once, and without a look at its leftovers. */
    listed(id: string): JobRecord | undefined {
      const one = active.get(id)
      if (one) {
        recordStart(one.job)
        return { job: one.job, output: one.capture.totals(), livingLeftovers: 0 }
      }
      const stored = jobStore.find(id)
      if (!stored) return undefined
      const { job, totals } = settled(stored)
      return { job, output: totals, livingLeftovers: 0 }
    },

    /** Newest first; without a look at their leftovers. */
    async list({ sinceMs, untilMs, ...query }: JobListQuery): Promise<JobRecord[]> {
      const found: JobRecord[] = []
      const from = sinceMs === undefined ? undefined : firstIdAt(sinceMs)
      const until = untilMs === undefined ? undefined : firstIdAt(untilMs)
      let before = [query.before, until].filter(id => id !== undefined).sort()[0]
      for (; ; await setImmediate()) {
        const { jobs, next } = jobStore.list({ ...query, from, before, limit: query.limit - found.length })
        for (const stored of jobs) {
          const { job, totals } = settled(stored)
          // The store may not have its end yet.
          if (query.states?.includes(job.state) === false) continue
          recordStart(job)
          found.push({ job, output: totals, livingLeftovers: 0 })
        }
        if (next === undefined) return found
        before = next
      }
    },

    /** The living processes of a running job, or what a finished one has left. */
    processesOf,

    /** What a running job uses now; what cannot be looked at, for want of descriptors, is not known. */
    usageOf: ({ job, mark }: FoundJob): Promise<Usage> =>
      processes
        .usage({ marks: new Set([mark]), pid: job.state === 'running' ? job.pid : 0 })
        .catch(() => NO_USAGE),

    countLivingLeftovers: async (found: FoundJob): Promise<number> =>
      hasLeftovers(found.job) ? (await processesOf(found)).length : 0,
  }
}

export type JobLookup = ReturnType<typeof createJobLookup>

const hasLeftovers = (job: Job): boolean => 'leftovers' in job && job.leftovers > 0

const NO_PROCESSES: Promise<LivingProcess[]> = Promise.resolve([])
