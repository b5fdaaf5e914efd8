import type { Micros } from './timestamp.ts'

/** Tells the time to the microsecond, and how long things took in spite of a clock that jumps. */
export interface Clock {
  now(): Micros
  /** The time that it was `since`, plus what the monotonic clock has counted from then on. */
  timer(): { startedAt: Micros; now(): Micros }
}

export const createClock = (
  wallMillis: () => number = Date.now,
  monotonicMillis: () => number = () => performance.now(),
): Clock => {
  // The wall clock has milliseconds, the monotonic one microseconds; together they have both, as long as
  // they are set against each other again when the wall clock was moved.
  let origin = wallMillis() - monotonicMillis()
  const now = (): Micros => {
    const drift = wallMillis() - (origin + monotonicMillis())
    if (Math.abs(drift) > TOLERANCE_MS) origin += drift
    return Math.round((origin + monotonicMillis()) * 1000)
  }
  return {
    now,
    timer() {
      const startedAt = now()
      const start = monotonicMillis()
      return { startedAt, now: () => startedAt + Math.round((monotonicMillis() - start) * 1000) }
    },
  }
}

const TOLERANCE_MS = 5
