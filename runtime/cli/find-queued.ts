import { ClientError } from '../../lib/client/client.ts'
import { isQueueId, type QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import { unwrap } from './ask.ts'
import { refuseShort } from './find-anywhere.ts'
import type { OpenFleet } from './open-fleet.ts'

/** The queued job of this id, or of an id that begins so. Throws ClientError. */
export const findQueued = async (open: Pick<OpenFleet, 'fleet'>, id: string): Promise<QueuedJob> => {
  refuseShort(id)
  const { queue } = open.fleet()
  if (isQueueId(id)) {
    const shown = await queue.show(id)
    if (shown.ok || shown.error.word !== 'unknown-job') return unwrap(shown)
  }
  const found = unwrap(await queue.list()).filter(job => job.id.startsWith(id))
  if (found.length > 1) throw new ClientError('ambiguous-id', `several queued jobs begin with ${id}`)
  if (!found[0]) throw new ClientError('unknown-queued-job', `${id}: there is no such queued job`)
  return found[0]
}
