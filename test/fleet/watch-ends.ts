import { Kvm } from '@nats-io/kv'
import { RECORD_BUCKET } from '../../lib/fleet/queue/engine-names.ts'
import { endedRun, isFinal, type QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import { recordOf } from '../../lib/fleet/queue/records.ts'
import type { Publisher } from '../support/fleet-queue.ts'

/** Records every end as it is told, and notices one that changes. */
export const watchEnds = async ({ connection, queue }: Publisher) => {
  const ends = new Map<string, QueuedJob>()
  let changed = 0
  const note = (job: QueuedJob | undefined): void => {
    if (!job || !isFinal(job)) return
    const earlier = ends.get(job.id)
    if (earlier && JSON.stringify(endOf(earlier)) !== JSON.stringify(endOf(job))) changed++
    ends.set(job.id, job)
  }
  const bucket = await new Kvm(connection).open(RECORD_BUCKET)
  const entries = await bucket.watch({ key: '>' })
  const watching = (async () => {
    for await (const entry of entries) note(recordOf(entry.key, entry).job)
  })()
  return {
    ends,
    /** How many ends were told twice, in different words. */
    changed: (): number => changed,
    /** Reads all that there are. */
    async readAll(): Promise<void> {
      const all = await queue.list()
      if (!all.ok) throw all.error
      for (const job of all.value) note(job)
    },
    async stop(): Promise<void> {
      entries.stop()
      await watching
    },
  }
}

const endOf = (job: QueuedJob) => [job.state, endedRun(job)?.end, job.state === 'dead' && job.reason]
