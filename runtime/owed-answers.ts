import { createFairShare } from '../lib/base/fair-share.ts'
import { createPassingMap } from '../lib/base/passing-map.ts'

/** An answer that somebody who is known waits for. */
export interface OwedAnswer {
  /** What its connection is known by. */
  connection: string
  /** The id of a key. */
  caller: string
  /** The network of whoever waits; behind a proxy that is trusted not the proxy's. */
  client: string
  /** Whether it can be asked for again and nothing is lost: long polls and streams, but not what a command came to. */
  isRepeatable: boolean
}

/**
 * Which answers are owed, `most` at a time. Callers share them, and so do networks. Where one has its share, or nothing
 * is left, the one that has most gives up the connection of its oldest repeatable answer: `cutOff` is called with that.
 * But none gives way to one that has as many. A caller to whom nothing is owed yet always has room: whoever is to
 * cancel a job or to drain the agent waits for one answer at a time.
 */
export const createOwedAnswers = (most: number, cutOff: (answer: OwedAnswer) => void) => {
  const shares = { caller: createFairShare(most), client: createFairShare(most) }
  /** By numbers that count up: the oldest first. */
  const answers = createPassingMap<number, OwedAnswer>()
  /** The numbers of those on each connection. */
  const numbersOn = createPassingMap<string, readonly number[]>()
  let added = 0

  const isDispensable = (connection: string): boolean =>
    numbersOn.get(connection)?.every(number => answers.get(number)?.isRepeatable) ?? false

  const mostDispensable = (asking: OwedAnswer, kind: 'caller' | 'client') => {
    const others = answers
      .values()
      .filter(({ connection }) => connection !== asking.connection && isDispensable(connection))
    return oldestOfLargest(others, { holderOf: one => one[kind], share: shares[kind], asking: asking[kind] })
  }

  const hasRoom = (asking: OwedAnswer, kind: 'caller' | 'client'): boolean =>
    shares[kind].hasRoom(asking[kind], 1)

  const makeRoomFor = (asking: OwedAnswer): boolean => {
    if (shares.caller.of(asking.caller) === 0) return true
    const kind = hasRoom(asking, 'caller') ? 'client' : 'caller'
    if (hasRoom(asking, kind)) return true
    const answer = mostDispensable(asking, kind)
    if (!answer) return false
    removeAll(answer.connection)
    cutOff(answer)
    return true
  }

  const remove = (number: number): void => {
    const answer = answers.get(number)
    if (!answer) return
    answers.delete(number)
    shares.caller.giveBack(answer.caller, 1)
    shares.client.giveBack(answer.client, 1)
    const others = numbersOn.get(answer.connection)?.filter(one => one !== number) ?? []
    if (others.length === 0) numbersOn.delete(answer.connection)
    else numbersOn.set(answer.connection, others)
  }

  /** Nothing is owed any more on a connection that is closed. */
  const removeAll = (connection: string): void => {
    for (const number of numbersOn.get(connection) ?? []) remove(number)
  }

  return {
    /** Returns what removes it again; undefined where there is no room for it, and none can be made. */
    add(answer: OwedAnswer): (() => void) | undefined {
      if (!makeRoomFor(answer)) return undefined
      const number = ++added
      answers.set(number, answer)
      numbersOn.set(answer.connection, [...(numbersOn.get(answer.connection) ?? []), number])
      shares.caller.take(answer.caller, 1)
      shares.client.take(answer.client, 1)
      return () => remove(number)
    },
    removeAll,
    /** Whether any is owed on it. */
    has: numbersOn.has,
  }
}

interface Holding<T> {
  holderOf(one: T): string
  share: Pick<ReturnType<typeof createFairShare>, 'of'>
  /** Who wants more. */
  asking: string
  /** What counts as what they have. */
  count?: number
}

/** The first one of whoever has most, and more than who asks; or of who asks. */
export const oldestOfLargest = <T>(
  all: Iterable<T>,
  { holderOf, share, asking, count = share.of(asking) }: Holding<T>,
): T | undefined => {
  let found: T | undefined
  let most = count
  for (const one of all) {
    const holder = holderOf(one)
    const isFirstOfOwn = !found && holder === asking
    if (!isFirstOfOwn && share.of(holder) <= most) continue
    found = one
    most = share.of(holder)
  }
  return found
}
