import { JetStreamApiError } from '@nats-io/jetstream'
import type { KV, KvEntry } from '@nats-io/kv'
import { parseQueuedJob } from './parse-queued-job.ts'
import type { QueuedJob } from './queued-job.ts'

export interface QueueRecord {
  /** Undefined where there is none, or what is there is none. */
  job: QueuedJob | undefined
  /** For `set`. */
  revision: number
  /** When it was written, by the engine's clock, in milliseconds of wall time; 0 where there is none. */
  writtenAt: number
}

/** What the bucket holds of queued jobs. Every change is made only where nobody has made another one meanwhile. */
export const createRecords = (bucket: Pick<KV, 'get' | 'put'>) => {
  const get = async (id: string): Promise<QueueRecord> => {
    const entry = await bucket.get(id)
    return entry === null ? { job: undefined, revision: 0, writtenAt: 0 } : recordOf(id, entry)
  }

  /** The new revision; undefined when somebody else was faster. */
  const set = async (job: QueuedJob, revision: number): Promise<number | undefined> => {
    try {
      return await bucket.put(job.id, JSON.stringify(job), { previousSeq: revision })
    } catch (error) {
      if (isConflict(error)) return undefined
      throw error
    }
  }

  /**
   * Changes it as it is by then; gives what is recorded, and whether it is this change. Undefined where there is no
   * record.
   */
  const change = async (
    id: string,
    make: (job: QueuedJob) => QueuedJob | undefined,
  ): Promise<{ job: QueuedJob; isChanged: boolean } | undefined> => {
    for (let tries = 0; tries < MOST_CONFLICTS; tries++) {
      const { job, revision } = await get(id)
      if (!job) return undefined
      const changed = make(job)
      if (!changed) return { job, isChanged: false }
      if ((await set(changed, revision)) !== undefined) return { job: changed, isChanged: true }
    }
    throw new Error(`the record of ${id} is changed by others again and again`)
  }

  return { get, set, change }
}

export type QueueRecords = ReturnType<typeof createRecords>

/** An entry may also say that what was there was deleted. */
export const recordOf = (
  id: string,
  entry: Pick<KvEntry, 'operation' | 'string' | 'revision' | 'created'>,
): QueueRecord => {
  const { revision } = entry
  const job = entry.operation === 'PUT' ? parseQueuedJob(entry.string()) : undefined
  return { job: job?.id === id ? job : undefined, revision, writtenAt: entry.created.getTime() }
}

/** Somebody else was faster. */
export const isConflict = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === WRONG_LAST_SEQUENCE || error.code === WRONG_LAST_UNKNOWN)

const WRONG_LAST_SEQUENCE = 10_071
const WRONG_LAST_UNKNOWN = 10_164

const MOST_CONFLICTS = 20
