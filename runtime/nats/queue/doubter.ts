import { pause } from '../../../lib/client/retry.ts'
import { looked, lookMs, newDoubt } from '../../../lib/fleet/queue/doubt.ts'
import type { QueueRecords } from '../../../lib/fleet/queue/records.ts'

export interface DoubterOptions {
  records: Pick<QueueRecords, 'get'>
  /** Another number after each break of the connection. */
  connectionNumber(): number
  /** This agent ends: what it doubts others are to doubt. */
  signal: AbortSignal
}

/**
 * Resolves when it is known whether the run that was doubted in a record of this revision goes on: not, if the record
 * is the same then. Rejects when that cannot be known, for the engine was away.
 */
export type Doubter = (id: string, revision: number, ackWaitMs: number) => Promise<void>

export const createDoubter = ({ records, connectionNumber, signal }: DoubterOptions): Doubter => {
  return async (id, revision, ackWaitMs) => {
    let doubt = newDoubt({ revision, connection: connectionNumber() })
    for (;;) {
      await pause(lookMs(ackWaitMs), signal)
      if (signal.aborted) throw new Error('this agent ends')
      const found = await records.get(id)
      const next = looked(doubt, { revision: found.revision, connection: connectionNumber() })
      if (next === 'broken') throw new Error('the engine was away')
      if (typeof next === 'string') return
      doubt = next
    }
  }
}
