import { failure } from '../base/errors.ts'
import { createPassingMap } from '../base/passing-map.ts'
import { type Caller, DEFAULT_KEY } from '../security/caller.ts'
import type { IdempotencyKey } from '../store/job-store.ts'

export interface AdmissionOptions {
  id: string
  /** Whose job it will be. */
  caller: string
  key: IdempotencyKey | undefined
  /** What is waited for. When it rejects, there will be no job. */
  record(id: string): Promise<void>
  /** Makes it a job. */
  start(): void
}

interface Admission extends Pick<AdmissionOptions, 'caller' | 'key'> {
  /** Resolves with its id when it is a job. */
  outcome: Promise<string>
}

/** Submissions that have a slot and are not jobs yet: what they ask for is being recorded. */
export const createAdmissions = () => {
  /** By the id of the job. */
  const pending = createPassingMap<string, Admission>()
  return {
    /** Resolves when it is a job; rejects with what `record` or `start` has failed with. */
    admit({ id, caller, key, record, start }: AdmissionOptions): Promise<string> {
      const recorded = record(id)
      const outcome = (async () => {
        try {
          await recorded
          start()
          return id
        } finally {
          // In the turn in which it becomes a job: it is never counted as both.
          pending.delete(id)
        }
      })()
      pending.set(id, { caller, key, outcome })
      return outcome
    },

    /** The one with the same key. Throws AgentError key-reused when it asks for something else. */
    find(key: IdempotencyKey): Admission | undefined {
      const found = pending.values().find(one => one.key?.key === key.key)
      if (found) assertSameRequest(found.key!, key)
      return found
    },

    count: (caller: string): number => pending.values().filter(one => one.caller === caller).length,

    /** Resolves when all of now are jobs, or refused. */
    async settled(): Promise<void> {
      await Promise.allSettled(pending.values().map(({ outcome }) => outcome))
    },
  }
}

/** Throws AgentError key-reused. */
export const assertSameRequest = (
  earlier: Pick<IdempotencyKey, 'requestHash'>,
  later: Pick<IdempotencyKey, 'requestHash'>,
): void => {
  if (Buffer.compare(earlier.requestHash, later.requestHash) !== 0) throw failure('key-reused')
}

/** Two callers may use the same key: neither learns of the other's job. A client's own keys have no line feed. */
export const ofCaller = (given: IdempotencyKey, { id }: Caller): IdempotencyKey =>
  id === DEFAULT_KEY ? given : { ...given, key: `${id}\n${given.key}` }
