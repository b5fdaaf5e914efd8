export interface GuessBudgetOptions {
  /** How many guesses are there at first… */
  most: number
  /** …and how many more a second. */
  perSecond: number
  /** How many names are told apart; those beyond share one budget. */
  mostNames?: number
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

/** How often each may still guess. Only who has guessed a moment ago takes memory. */
export const createGuessBudget = (options: GuessBudgetOptions) => {
  const { most, perSecond, mostNames = MOST_NAMES, now = () => performance.now() } = options
  /** What was left, and when; in the order of the time. */
  const used = new Map<string, { left: number; at: number }>()
  /** After which a budget is as it was at first, whatever was left. */
  const fullMs = (most / perSecond) * 1000

  /** Before which no budget that was used is full again. */
  const soonestFullMs = 1000 / perSecond
  let lookedThroughAt = Number.NEGATIVE_INFINITY

  const forgetFull = (time: number): void => {
    for (const [name, { at }] of used) {
      if (time - at < fullMs) break
      used.delete(name)
    }
    // A guess from each of very many networks is forgotten sooner: it must not make others share a budget.
    if (used.size < mostNames || time - lookedThroughAt < soonestFullMs) return
    lookedThroughAt = time
    for (const name of used.keys()) if (left(name, time) >= most) used.delete(name)
  }

  const bucketOf = (name: string): string => (used.has(name) || used.size < mostNames ? name : REST)

  const left = (bucket: string, time = now()): number => {
    const one = used.get(bucket)
    return one ? Math.min(most, one.left + ((time - one.at) / 1000) * perSecond) : most
  }

  return {
    has(name: string): boolean {
      if (used.size === 0) return true // As it nearly always is.
      forgetFull(now())
      return left(bucketOf(name)) >= 1
    },

    /** There is no debt: what is spent beyond is for nothing. */
    spend(name: string): void {
      const bucket = bucketOf(name)
      const rest = Math.max(0, left(bucket) - 1)
      used.delete(bucket)
      used.set(bucket, { left: rest, at: now() })
    },

    /** How many are told apart at the moment. */
    size: (): number => used.size,
  }
}

export type GuessBudget = ReturnType<typeof createGuessBudget>

/** Some 10 MB. To have them all takes 250,000 guesses a second, more than the agent could answer. */
const MOST_NAMES = 50_000
const REST = 'the rest'
