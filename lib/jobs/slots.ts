/** At most `limit` jobs at a time. */
export const createSlots = (limit: number) => {
  let used = 0
  return {
    used: (): number => used,

    /** Takes a slot; calling the result gives it back, once. Undefined when all are taken. */
    take(): (() => void) | undefined {
      if (used >= limit) return undefined
      used++
      let held = true
      return () => {
        if (held) used--
        held = false
      }
    },
  }
}

export type Slots = ReturnType<typeof createSlots>
