import type { Micros } from '../../base/timestamp.ts'
import type { OutputStream } from '../../process/types.ts'

/** A chunk without its bytes. */
export interface Run {
  stream: OutputStream
  /** In bytes. */
  length: number
  time: Micros
}

/**
 * Two numbers for each run: its length, doubled, plus 1 if it is of stderr; and how much later it is than the run
 * before it, which must not be negative. `time` is that of the first run.
 */
export const encodeRuns = (runs: readonly Run[], time: Micros): Uint8Array => {
  const encoded: number[] = []
  let before = time
  for (const run of runs) {
    pushNumber(encoded, run.length * 2 + (run.stream === 'stderr' ? 1 : 0))
    pushNumber(encoded, run.time - before)
    before = run.time
  }
  return Uint8Array.from(encoded)
}

export const decodeRuns = (encoded: Uint8Array, time: Micros): Run[] => {
  const runs: Run[] = []
  let at = 0
  let before = time
  const nextNumber = (): number => {
    let number = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = encoded[at++]!
      number += (byte % 128) * factor
      if (!(byte >= 128)) return number
    }
  }
  while (at < encoded.length) {
    const lengthAndStream = nextNumber()
    before += nextNumber()
    const stream = lengthAndStream % 2 === 1 ? 'stderr' : 'stdout'
    runs.push({ stream, length: Math.floor(lengthAndStream / 2), time: before })
  }
  return runs
}

/** Seven bits a byte, the lowest first; the eighth says that more follow. Times need more bits than `>>` has. */
const pushNumber = (encoded: number[], number: number): void => {
  let rest = number
  for (; rest >= 128; rest = Math.floor(rest / 128)) encoded.push((rest % 128) + 128)
  encoded.push(rest)
}
