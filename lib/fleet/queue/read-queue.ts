import type { JetStreamClient } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import { deadSubjectOf, type FleetLabel } from '../names.ts'
import { DEAD_STREAM } from './engine-names.ts'
import { parseMessage, type QueuedMessage } from './message.ts'
import type { QueuedJob } from './queued-job.ts'
import { recordOf } from './records.ts'

/** What a dead job was; undefined when it is not kept any more. */
export const findLetter = async (
  stream: JetStreamClient,
  label: FleetLabel,
  id: string,
): Promise<QueuedMessage | undefined> => {
  const manager = await stream.jetstreamManager(false)
  const stored = await manager.streams.getMessage(DEAD_STREAM, { last_by_subj: deadSubjectOf(label, id) })
  return stored ? parseMessage(stored.header, stored.data) : undefined
}

/** The newest first. */
export const listAll = async (bucket: KV): Promise<QueuedJob[]> => {
  const found: QueuedJob[] = []
  for await (const entry of await bucket.history({ key: '>' })) {
    const { job } = recordOf(entry.key, entry)
    if (job) found.push(job)
  }
  return found.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
}
