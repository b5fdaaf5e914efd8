/**
 * How long starts have taken lately, as a moving average. A start holds up the thread that makes it until the new
 * program is in place: a fraction of a millisecond, or many where others need the processors.
 */
export const createStartDurations = (longMs = LONG_MS) => {
  let averageMs = 0
  return {
    add(ms: number): void {
      averageMs += (ms - averageMs) * WEIGHT
    },

    /** Whether the next one is likely to take long. */
    areLong: (): boolean => averageMs > longMs,
  }
}

export type StartDurations = ReturnType<typeof createStartDurations>

/** What two switches of threads are worth. */
const LONG_MS = 2
const WEIGHT = 1 / 8
