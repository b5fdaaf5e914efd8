export interface RetentionLimits {
  /** How long a finished job is kept, in milliseconds. */
  ageMs: number
  jobs: number
  /** Of output, over all finished jobs. */
  bytes: number
}

/** Removes finished jobs, the oldest first, as soon as there are too many, too large, or too old ones. */
export interface Retention {
  /** A job has finished, and so many bytes of its output are kept. */
  added(bytes: number): void
  /** Removes at most `most` jobs that are over a limit; returns how many. `nowMs` is wall time. */
  prune(nowMs: number, most?: number): number
  /** Gives free pages back to the file system when there are many: a few are soon used again. */
  giveBack(): void
}
