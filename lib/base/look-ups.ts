import { within } from './within.ts'

export interface LookUpsOptions {
  mostAtOnce: number
  /** How long one who asks is kept waiting, in milliseconds; the time that others take who come first counts, too. */
  longestMs: number
  /** What who asks gets when the time is up. */
  noAnswer(): Error
}

/**
 * Look-ups that may take long and cannot be ended: a few at a time, in the order in which they were asked for. Who asks for
 * what somebody else is asking for shares the answer.
 */
export const createLookUps = <T>(
  lookUp: (name: string, group?: string) => Promise<T>,
  { mostAtOnce, longestMs, noAnswer }: LookUpsOptions,
) => {
  const underWay = new Map<string, Promise<T>>()
  const waiting = new Set<() => void>()
  let running = 0

  const end = (): void => {
    running--
    const [next] = waiting
    next?.()
  }

  /** Who is aborted before its turn has none. */
  const inTurn = (look: () => Promise<T>, signal: AbortSignal): Promise<T> =>
    new Promise((resolve, reject) => {
      const begin = (): void => {
        waiting.delete(begin)
        running++
        look().finally(end).then(resolve, reject)
      }
      signal.addEventListener('abort', () => {
        if (waiting.delete(begin)) reject(noAnswer())
      })
      if (running < mostAtOnce) begin()
      else waiting.add(begin)
    })

  const lookUpOnce = (name: string, group: string | undefined, signal: AbortSignal): Promise<T> => {
    const key = `${name}:${group ?? ''}`
    const known = underWay.get(key)
    if (known) return known
    const asked = inTurn(() => lookUp(name, group), signal)
    const forget = () => void underWay.delete(key)
    underWay.set(key, asked)
    asked.then(forget, forget)
    return asked
  }

  return {
    /** Rejects when the time is up. */
    async find(name: string, group?: string): Promise<T> {
      const waitingToBegin = new AbortController()
      const looking = lookUpOnce(name, group, waitingToBegin.signal).then(found => ({ found }))
      const answer = await within(looking, longestMs)
      if (answer) return answer.found
      waitingToBegin.abort()
      throw noAnswer()
    },

    isAsking: (): boolean => underWay.size > 0,
  }
}
