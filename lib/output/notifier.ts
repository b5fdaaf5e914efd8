/** Lets any number of readers wait for the next change. */
export const createNotifier = () => {
  let waiting = new Set<() => void>()
  return {
    /** Calls `tell` with the next notification, once; calling the result takes it back. */
    wait(tell: () => void): () => void {
      waiting.add(tell)
      return () => void waiting.delete(tell)
    },

    notify(): void {
      if (waiting.size === 0) return
      const all = waiting
      waiting = new Set()
      for (const tell of all) tell()
    },
  }
}

export type Notifier = ReturnType<typeof createNotifier>
