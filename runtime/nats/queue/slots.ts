/** A free slot that is kept for something that is on its way to it. */
export interface Slot {
  /** It is taken by a job now, or not needed. */
  release(): void
}

/** The free slots of the agent, without those that are promised already. `onReleased` is told of each that is no more. */
export const createSlots = (free: () => number, onReleased: () => void) => {
  let promised = 0
  return {
    left: (): number => free() - promised,

    promise(): Slot {
      let isPromised = true
      promised++
      return {
        release(): void {
          if (!isPromised) return
          isPromised = false
          promised--
          onReleased()
        },
      }
    },
  }
}

export type Slots = ReturnType<typeof createSlots>
