/** One at a time, in the order of asking. */
export const createTurns = () => {
  const waiting: (() => void)[] = []
  let isTaken = false

  const pass = (): void => {
    const next = waiting.shift()
    if (next) next()
    else isTaken = false
  }

  return {
    /** Runs `work` when its turn has come: at once if nobody else's is. */
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (isTaken) await new Promise<void>(resolve => waiting.push(resolve))
      isTaken = true
      try {
        return await work()
      } finally {
        pass()
      }
    },
  }
}

export type Turns = ReturnType<typeof createTurns>
