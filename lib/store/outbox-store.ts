/** Who takes what is in the outbox. */
export type OutboxSink = 'callback' | 'fleet'

/** Something that has happened to a job, for somebody who is to be told. */
export interface NewOutboxEntry {
  /** Of the event, the same for all who are told of it: `<id of the job>.<kind>`. */
  id: string
  jobId: string
  sink: OutboxSink
  /** A URL; "" where the sink alone says who is told. */
  target: string
  /** What has a share of the deliveries of its own: the origin of the URL; "" where there is one way only. */
  origin: string
  kind: OutboxKind
  /** What is delivered, composed when it has happened. */
  payload: string
  /** Milliseconds, as all times here. */
  createdAt: number
}

export type OutboxKind = 'created' | 'started' | 'ended' | 'rejected'

export type OutboxState = 'pending' | 'delivered' | 'given-up'

export interface OutboxEntry extends NewOutboxEntry {
  /** The row. Entries are in the order of their numbers. */
  number: number
  /** How often it was tried. */
  tries: number
  /** By the store's own clock. Undefined for one that waits for an earlier one of the same job, sink and target, and for one that is settled. */
  nextTryAt: number | undefined
  state: OutboxState
  lastTryAt: number | undefined
  /** Of the last try that has failed; "" when none has. */
  lastError: string
}

/** What is known of an entry without its payload; the time of its next try is wall time. */
export type OutboxSummary = Omit<OutboxEntry, 'payload'>

/** After a try. */
export type Settled =
  | { state: 'delivered'; atMs: number }
  | { state: 'given-up'; atMs: number; error: string }

export interface PutOff {
  atMs: number
  error: string
  /** By the store's own clock, see `now`. */
  nextTryAt: number
}

/**
 * What is to be delivered to others, durably: of one job to one target in order. Every method may throw what the store
 * throws, for a full disk for example.
 */
export interface OutboxStore {
  /**
   * Stores entries with what `step` stores: all of it, or nothing. Where too much waits, the oldest of the origin with
   * the most is given up.
   */
  addWith<T>(entries: readonly NewOutboxEntry[], step: () => T): T
  /** Calls `tell` whenever entries were added; the result ends that. */
  onAdded(tell: () => void): () => void

  /** The origins for which something waits. */
  origins(sink: OutboxSink): string[]
  /** What is due: the first of each job and target alone, the longest due first. */
  due(sink: OutboxSink, origin: string, nowMs: number, most: number): OutboxEntry[]
  /** When the next one will be due after `afterMs`; undefined when none will. */
  nextDueAt(sink: OutboxSink, origin: string, afterMs: number): number | undefined

  /** The time that tries are due by, which nobody sets. It begins with the wall time when an agent starts. */
  now(): number
  /**
   * For an agent that starts, whose clock may have been set back meanwhile: what cannot be due so late is due now. Does a
   * part of it; returns whether that was all.
   */
  pullIn(sink: OutboxSink): boolean

  /** It is being delivered until it is released, so it is not given up for want of room. */
  hold(number: number): void
  release(number: number): void

  /** It was delivered, or given up as `error` says: the next one of the same job and target is due. */
  settle(number: number, settled: Settled): void
  /** A try has failed, and another one comes. */
  putOff(number: number, failed: PutOff): void

  /** All that is known of a job's entries for one sink, in order. */
  ofJob(jobId: string, sink: OutboxSink): OutboxSummary[]
  countPending(sink: OutboxSink): number
}
