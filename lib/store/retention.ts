export interface RetentionLimits {
  /** How long an ended job is kept, in milliseconds. */
  ageMs: number
  /** How many jobs that ran. */
  jobs: number
  /** What the store spends on their output, over all of them. */
  bytes: number
}

/** Removes ended jobs, the oldest first, when there are too many, too large, or too old ones. */
export interface Retention {
  /** Counts a job that has ended; `storedBytes` is what the store spends on its output. */
  added(job: { storedBytes: number; rejected: boolean }): void
  /** Whether there is so much to prune that it is worth a turn of its own. */
  isPruningDue(nowMs: number): boolean
  /**
   * Takes at most `most` steps, for a few milliseconds; each removes a job that is over a limit, or a part of the output
   * of a job that was removed before. Returns how many it took; 0 when nothing is left to remove, or none was found
   * behind many jobs that are kept. `nowMs` is wall time. Throws what the store throws.
   */
  prune(nowMs: number, most?: number): number
  /**
   * Gives free pages of the store back to the file system when there are many: a few are soon used again. Where room is
   * short, also few, and a little at a time. Returns whether it did; they arrive with the next checkpoint.
   */
  giveBack(isRoomShort: boolean): boolean
  /** Nothing prunes the job with this number until the result is called. */
  keep(number: number): () => void
}
