/**
 * Shares out an amount of something. Each may have `times` as much as is left for all others: one alone gets most of
 * it, and the next one still finds some. Who has nothing yet may have whatever is left.
 */
export const createFairShare = (amount: number, times = SHARE) => {
  const taken = new Map<string, number>()
  let all = 0

  const of = (holder: string): number => taken.get(holder) ?? 0

  const add = (holder: string, change: number): void => {
    all += change
    const own = of(holder) + change
    if (own === 0) taken.delete(holder)
    else taken.set(holder, own)
  }

  const hasRoom = (holder: string, size: number): boolean => {
    const [own, left] = [of(holder), amount - all - size]
    return left >= 0 && (own === 0 || own + size <= times * left)
  }

  return {
    of,
    left: (): number => amount - all,
    /** Whether one may have so much more. */
    hasRoom,
    /** Whether one may or not. */
    take: (holder: string, size: number): void => add(holder, size),
    giveBack: (holder: string, size: number): void => add(holder, -size),
  }
}

/**
 * An amount of which one, whatever it has, leaves so much that another who has nothing gets `size`; two, where each may
 * have no more than is left.
 */
export const fairAmountFor = (size: number): number => (SHARE + 1) * size

const SHARE = 4
