import { ClientError } from '../../lib/client/client.ts'
import { isQueueId } from '../../lib/fleet/queue/queued-job.ts'
import { findAnywhere, refuseShort } from './find-anywhere.ts'
import { findQueued } from './find-queued.ts'
import type { OpenFleet } from './open-fleet.ts'
import type { Target } from './target.ts'

/** The job of this id, or of an id that begins so: one of an agent, or of the queue. Throws ClientError. */
export const findInFleet = async (open: OpenFleet, id: string, signal?: AbortSignal): Promise<Target> => {
  refuseShort(id)
  if (!/^[0-9a-f]{8,32}$/.test(id)) {
    try {
      return { kind: 'queued', queued: await findQueued(open, id), open }
    } catch (error) {
      if (!(error instanceof ClientError) || error.word !== 'unknown-queued-job') throw error
      throw new ClientError('unknown-queued-job', `${id}: no job and no queued job begins so`)
    }
  }
  // The agents first: who looks for a job of theirs need not have the right to look into the queue.
  try {
    return { kind: 'job', found: await findAnywhere(open, id, signal) }
  } catch (error) {
    if (signal?.aborted) throw error
    // Other programs may have given a queued job an id such as jobs have: then it is taken only whole.
    const shown = isQueueId(id) ? await open.fleet().queue.show(id) : undefined
    if (shown?.ok) return { kind: 'queued', queued: shown.value, open }
    throw error
  }
}
