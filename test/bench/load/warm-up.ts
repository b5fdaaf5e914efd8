import type { LoadFigures } from './load.ts'

/**
 * Puts load on a contestant, one turn after the other, until two of them in a row have cost it hardly less for each
 * request: V8 compiles what runs often, and with one client that takes thousands of jobs; and each turn has new
 * connections, which make it compile some of that again. One turn only where rounds, of so many seconds, are short, or
 * the contestant's own processor time is not known.
 */
export const warmUp = async (
  send: (seconds: number) => Promise<Pick<LoadFigures, 'cpuMicros'>>,
  seconds: number,
): Promise<void> => {
  let least = Number.POSITIVE_INFINITY
  const most = seconds < SHORT_ROUND ? 1 : MOST_TURNS
  for (let turn = 0, flat = 0; turn < most && flat < FLAT_TURNS; turn++) {
    const { cpuMicros } = await send(turnSeconds(seconds))
    if (cpuMicros === undefined) return
    flat = cpuMicros > least * STILL_FALLING ? flat + 1 : 0
    least = Math.min(least, cpuMicros)
  }
}

/** Of one turn, by the seconds of a round. Those that are started anew in each round are warmed up for one. */
export const turnSeconds = (seconds: number): number => Math.min(5, seconds * 2.5)

/** In seconds. */
const SHORT_ROUND = 1
const MOST_TURNS = 8
const FLAT_TURNS = 2
const STILL_FALLING = 0.97
