import { type UntilCalledOptions, untilCalled } from '../base/until-called.ts'
import { createOutputView } from '../output/view.ts'
import type { Processes } from '../process/types.ts'
import type { OutputStore } from '../store/output-store.ts'
import type { Retention } from '../store/retention.ts'
import type { JobRecord } from './job.ts'
import type { FoundJob, JobLookup } from './lookup.ts'

export interface OpenJobOptions {
  lookup: JobLookup
  outputStore: OutputStore
  processes: Processes
  retention: Pick<Retention, 'keep'>
}

/** Opens a job for one answer: nothing of it is removed until it is closed, or has ended a minute ago. */
export const openJob = (found: FoundJob, options: OpenJobOptions) => {
  const { lookup, outputStore, retention } = options
  const { number, active } = found
  const { id, encoding } = found.job
  const letGo = retention.keep(number)
  let isKept = true
  let timer: NodeJS.Timeout | undefined
  const letGoLater = (): void => {
    timer = setTimeout(() => {
      isKept = false
      letGo()
    }, KEPT_MS).unref()
  }
  const forget = active?.job.state === 'running' ? active.onEnd(letGoLater) : undefined
  if (!forget) letGoLater()

  return {
    id,

    async now({ usage = false } = {}): Promise<JobRecord | undefined> {
      // One that was active when it was opened needs no look at the store; one that had ended stays as it was.
      const now = active ? lookup.told(active) : isKept ? found : lookup.find(id)
      if (!now) return undefined
      const livingLeftovers = await lookup.countLivingLeftovers(now)
      const usageNow = usage && now.job.state === 'running' ? await lookup.usageOf(now) : undefined
      return { job: now.job, output: now.totals, livingLeftovers, usageNow }
    },

    async waitForEnd(options: UntilCalledOptions = {}): Promise<void> {
      if (active?.job.state === 'running') await untilCalled(active.onEnd, options)
    },

    output: createOutputView(outputStore, {
      number,
      encoding,
      running: () => (active?.job.state === 'running' ? active.changes : undefined),
      exists: () => active?.job.state === 'running' || lookup.find(id) !== undefined,
    }),

    close(): void {
      forget?.()
      clearTimeout(timer)
      letGo()
    },
  }
}

/** How long after its end a job is kept for those who have it open: who reads slower may find its output removed. */
const KEPT_MS = 60_000
