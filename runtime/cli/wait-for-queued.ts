import type { Result } from '../../lib/client/client.ts'
import { success } from '../../lib/client/result.ts'
import type { Queue } from '../../lib/fleet/queue/queue.ts'
import { isFinal, type QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import { byNow, untilExpired } from './queued-end.ts'

/** Resolves when it is final, or its time is over and no agent has taken it. */
export const waitForQueued = async (
  queue: Pick<Queue, 'wait' | 'show'>,
  job: QueuedJob,
  signal: AbortSignal,
): Promise<Result<QueuedJob>> => {
  for (;;) {
    const late = AbortSignal.timeout(Math.max(untilExpired(job), LOOK_MS))
    const ended = await queue.wait(job.id, { signal: AbortSignal.any([signal, late]) })
    if (ended.ok || signal.aborted || !late.aborted) return ended
    const shown = await queue.show(job.id)
    if (!shown.ok) return shown
    const now = byNow(shown.value)
    if (isFinal(now)) return success(now)
  }
}

/** It may be given back after its time: then it is over too. */
const LOOK_MS = 10_000
