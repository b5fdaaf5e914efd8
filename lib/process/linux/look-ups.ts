import { within } from '../../base/within.ts'

export interface LookUpsOptions {
  mostAtOnce: number
  /** How long one who asks is kept waiting, in milliseconds; the time that others take who come first counts, too. */
  longestMs: number
}

/**
 * Look-ups that may take long and cannot be ended: a few at a time, in the order in which they were asked for. Who asks for
 * what somebody else is asking for shares the answer.
 */
export const createLookUps = <T>(
  lookUp: (user: string, group?: string) => Promise<T>,
  { mostAtOnce, longestMs }: LookUpsOptions,
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
        if (waiting.delete(begin)) reject(new Error(NO_ANSWER))
      })
      if (running < mostAtOnce) begin()
      else waiting.add(begin)
    })

  const lookUpOnce = (user: string, group: string | undefined, signal: AbortSignal): Promise<T> => {
    const key = `${user}:${group ?? ''}`
    const known = underWay.get(key)
    if (known) return known
    const asked = inTurn(() => lookUp(user, group), signal)
    const forget = () => void underWay.delete(key)
    underWay.set(key, asked)
    asked.then(forget, forget)
    return asked
  }

  return {
    /** Rejects when the time is up. */
    async find(user: string, group?: string): Promise<T> {
      const waitingToBegin = new AbortController()
      const looking = lookUpOnce(user, group, waitingToBegin.signal).then(found => ({ found }))
      const answer = await within(looking, longestMs)
      if (answer) return answer.found
      waitingToBegin.abort()
      throw new Error(NO_ANSWER)
    },

    isAsking: (): boolean => underWay.size > 0,
  }
}

const NO_ANSWER = 'the user database does not answer'
