/** Resolves when the next piece of a streamed body may be made. */
export type Pace = () => Promise<void>

/**
 * Lets all bodies that are made while they are sent take turns, so that other requests have the event loop in between
 * however many there are: one that is alone makes several pieces in a turn of the loop, many make one piece together.
 */
export const createPace = (): Pace => {
  const waiting: (() => void)[] = []
  let began = Number.NEGATIVE_INFINITY
  let pieces = 0

  const isTurnOver = (): boolean => pieces >= PIECES_A_TURN || performance.now() - began >= MS_A_TURN

  const nextTurn = (): void => {
    began = performance.now()
    pieces = 1
    waiting.shift()?.()
    if (waiting.length > 0) setImmediate(nextTurn)
  }

  return async () => {
    if (waiting.length === 0 && !isTurnOver()) {
      pieces++
      return
    }
    await new Promise<void>(resolve => {
      if (waiting.push(resolve) === 1) setImmediate(nextTurn)
    })
  }
}

const PIECES_A_TURN = 32
const MS_A_TURN = 5
