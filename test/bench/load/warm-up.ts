import type { LoadFigures } from './load.ts'

/**
 * Puts load on a contestant, a turn of so many seconds after the other, until two of them in a row have cost it hardly
 * less for each request: V8 compiles what runs often, and what new connections are the first to run, and with one client that
 * takes thousands of jobs. Once only where its own processor
 * time is not known, or rounds are short.
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

/** Of one turn; what is measured in short rounds is not worth a long one. Enough for what is started anew each round. */
export const turnSeconds = (seconds: number): number => Math.min(5, seconds * 2.5)

/** In seconds. */
const SHORT_ROUND = 1
const MOST_TURNS = 8
const FLAT_TURNS = 2
const STILL_FALLING = 0.97
