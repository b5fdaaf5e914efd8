/** How long after so many failed tries the next one comes, in milliseconds. `random` is from 0 to 1. */
export type Pause = (tries: number, random: number) => number

/**
 * Growing, and never the same twice: what has failed together must not come back together. With these there are about
 * 14 tries within 24 hours.
 */
export const callbackPause: Pause = (tries, random) =>
  Math.round(PAUSES_MS[Math.min(tries, PAUSES_MS.length) - 1]! * (0.75 + random / 2))

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000]

const PAUSES_MS = [
  SECOND,
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
]

/** How long a delivery is tried, from the event on… */
export const TRIED_MS = 24 * HOUR
/** …but at least so often, which takes some 19 hours: the agent may have been off, or its clock may have been set. */
export const LEAST_TRIES = 14
