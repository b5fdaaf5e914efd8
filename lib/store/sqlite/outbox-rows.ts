import type { OutboxKind, OutboxSink, OutboxState, OutboxSummary } from '../outbox-store.ts'

/** The columns of a row without its payload. */
export const SUMMARY = `number, id, job, sink, target, origin, kind, created, tries, next_try AS nextTry, state,
  last_try AS lastTry, last_error AS lastError`

export interface OutboxRow {
  number: number
  id: string
  job: string
  sink: OutboxSink
  target: string
  origin: string
  kind: OutboxKind
  created: number
  tries: number
  nextTry: number | null
  state: OutboxState
  lastTry: number | null
  lastError: string
}

export const fromRow = ({ job, created, nextTry, lastTry, ...row }: OutboxRow): OutboxSummary => {
  const { number, id, sink, target, origin, kind, tries, state, lastError } = row
  return {
    number,
    id,
    jobId: job,
    sink,
    target,
    origin,
    kind,
    createdAt: created,
    tries,
    nextTryAt: nextTry ?? undefined,
    state,
    lastTryAt: lastTry ?? undefined,
    lastError,
  }
}
