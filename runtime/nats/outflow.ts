import type { NatsConnection } from '@nats-io/nats-core'

/**
 * What the engine may still have to take of all answers together. The library keeps without bound what is published
 * while the engine does not read; so what is more than a bound waits here, by turns of those who are answered, until
 * the engine has said that it has what came before. The bound is about what the engine takes in a second, for small
 * answers and signs of life go behind what is due.
 */
export const createOutflow = (
  connection: Pick<NatsConnection, 'flush'>,
  {
    most = MOST_DUE,
    flushAt = FLUSH_AT,
    now = () => performance.now(),
  }: { most?: number; flushAt?: number; now?: () => number } = {},
) => {
  let due = 0
  let bound = Math.min(most, FIRST_BOUND)
  let isFlushing = false
  /** Of each caller, in the order of their turns. */
  const waiting = new Map<string, Waiting[]>()

  /** A piece that is larger than all there may be goes alone. */
  const hasRoom = (bytes: number): boolean => due === 0 || due + bytes <= bound

  const isMuch = (): boolean => due > Math.min(flushAt, bound / 4)

  const goOn = (): void => {
    for (const [caller, [next, ...rest]] of waiting) {
      if (!next || !hasRoom(next.bytes)) return
      waiting.delete(caller)
      if (rest.length > 0) waiting.set(caller, rest)
      due += next.bytes
      next.go()
    }
  }

  const flush = async (): Promise<void> => {
    isFlushing = true
    while (isMuch() || waiting.size > 0) {
      const [sent, since] = [due, now()]
      try {
        await connection.flush()
        const aSecond = (sent * 1000) / Math.max(1, now() - since)
        bound = Math.min(most, Math.max(LEAST_BOUND, aSecond))
      } catch {
        // The connection is broken: what was due is lost, and due no more.
      }
      due -= sent
      goOn()
    }
    isFlushing = false
  }

  return {
    /** Resolves when so much more may be published. */
    async take(bytes: number, caller = ''): Promise<void> {
      if (waiting.size === 0 && hasRoom(bytes)) due += bytes
      else {
        const { promise, resolve } = Promise.withResolvers<void>()
        const own = waiting.get(caller)
        if (own) own.push({ bytes, go: resolve })
        else waiting.set(caller, [{ bytes, go: resolve }])
        if (!isFlushing) void flush()
        await promise
      }
      if (isMuch() && !isFlushing) void flush()
    },
    /** Of which the engine has not said that it has them. */
    due: () => due,
  }
}

export type Outflow = ReturnType<typeof createOutflow>

interface Waiting {
  bytes: number
  go: () => void
}

const MOST_DUE = 16 << 20
/** Two pieces, so that one is on its way while the engine says that it has the other. */
const LEAST_BOUND = 256 << 10
/** Until it is known how quick the engine is. */
const FIRST_BOUND = 1 << 20
/** Before it is too much, so that pieces do not wait where the engine is quick. */
const FLUSH_AT = 1 << 20
