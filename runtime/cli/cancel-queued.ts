import type { QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import { needsAdmin, unwrap } from './ask.ts'
import type { OpenFleet } from './open-fleet.ts'

/** Takes it out of the queue, or has its agent stop it; with the right `admin` where it is somebody else's. Throws ClientError. */
export const cancelQueued = async (
  open: Pick<OpenFleet, 'fleet'>,
  id: string,
  grace?: string,
): Promise<QueuedJob> => {
  const cancelAs = (right: 'run' | 'admin') => {
    const { queue, agent } = open.fleet(right)
    return queue.cancel(id, { client: agent, grace })
  }
  const canceled = await cancelAs('run')
  const isNotOwn = !canceled.ok && needsAdmin(canceled.error)
  return unwrap(isNotOwn ? await cancelAs('admin') : canceled)
}
