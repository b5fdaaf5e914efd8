import { errors } from '../base/errors.ts'
import type { Micros } from '../base/timestamp.ts'
import { within } from '../base/within.ts'
import { decodeOutput } from '../output/text.ts'
import type { LivingProcess, Processes, Target } from '../process/types.ts'
import type { JobQuery, JobStore, StoredJob } from '../store/job-store.ts'
import type { OutputStore } from '../store/output-store.ts'
import type { OutputTotals } from './job.ts'
import { type Job, type JobJson, jobToJson } from './job.ts'
import type { ActiveJob } from './jobs.ts'
import { asLost } from './recovery.ts'

export interface JobViewsOptions {
  /** The jobs whose end is not stored yet, by id. */
  active: ReadonlyMap<string, ActiveJob>
  jobStore: JobStore
  outputStore: OutputStore
  processes: Processes
  /** When this life of the agent began. */
  beganAt: Micros
}

/** Looks jobs up, whether they are running, ended, or of an earlier life of the agent. */
export const createJobViews = ({ active, jobStore, outputStore, processes, beganAt }: JobViewsOptions) => {
  const locate = (
    id: string,
  ): { number: number; job: Job; mark: number; totals: OutputTotals } | undefined => {
    const entry = active.get(id)
    if (!entry) return settled(jobStore.find(id))
    entry.capture.refresh()
    return { ...entry, totals: entry.capture.totals() }
  }

  /** A job that is stored as running and does not run was lost, even if that could not be stored yet. */
  const settled = <T extends StoredJob | undefined>(stored: T): T =>
    stored?.job.state === 'running' && !active.has(stored.job.id)
      ? { ...stored, job: asLost(stored.job, beganAt) }
      : stored

  const processesOf = ({ job, mark }: { job: Job; mark: number }): Promise<LivingProcess[]> => {
    const isRunning = job.state === 'running'
    const target: Target = { marks: new Set([mark]), pid: isRunning ? job.pid : 0 }
    return isRunning || hasLeftovers(job) ? processes.find(target) : Promise.resolve([])
  }

  return {
    /** Output is left out unless it is wanted and short, or the job runs. */
    async get(id: string, { output = true } = {}): Promise<JobJson | undefined> {
      const found = locate(id)
      if (!found) return undefined
      const { number, job, totals } = found
      const living = hasLeftovers(job) ? (await processesOf(found)).length : 0
      const mostBytes = job.state === 'running' ? LARGEST_TEXT_BYTES : LONG_OUTPUT_BYTES
      const isText = output && totals.keptBytes > 0 && totals.keptBytes <= mostBytes
      const text = isText ? decodeOutput(outputStore.read(number), job.encoding) : NO_TEXT
      return jobToJson(job, { ...text, ...countsOf(totals) }, living)
    },

    /** Newest first, without output. */
    list: (query: JobQuery): JobJson[] =>
      jobStore.list(query).map(stored => {
        const { job, totals } = settled(stored)
        const entry = active.get(job.id)
        return jobToJson(entry?.job ?? job, { ...NO_TEXT, ...countsOf(entry?.capture.totals() ?? totals) })
      }),

    /** The living processes of a running job, or what a finished one has left. Rejects with AgentError. */
    async listProcesses(id: string) {
      const found = locate(id)
      if (!found) throw errors.unknownJob()
      return (await processesOf(found)).map(({ startTime, mark, ...shown }) => shown)
    },

    /** Resolves when the job has ended, or after `ms` milliseconds, or at once when it is not running. */
    async waitForEnd(id: string, ms?: number): Promise<void> {
      const done = active.get(id)?.done
      await (done && ms !== undefined ? within(done, ms) : done)
    },
  }
}

const countsOf = ({ stdoutBytes, stderrBytes, keptBytes }: OutputTotals) => ({
  stdoutBytes,
  stderrBytes,
  droppedBytes: stdoutBytes + stderrBytes - keptBytes,
})

/** More than this is for openOutput to read, piece by piece, once the job has ended and it stands still. */
const LONG_OUTPUT_BYTES = 256 << 10

/** Each byte may take six characters in JSON, and a string of V8 holds half a billion. */
const LARGEST_TEXT_BYTES = 80 << 20

const NO_TEXT = { stdout: '', stderr: '' }

const hasLeftovers = (job: Job): boolean => 'leftovers' in job && job.leftovers > 0
