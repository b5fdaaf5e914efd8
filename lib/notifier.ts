/** Lets any number of readers wait for the next change. */
export const createNotifier = () => {
  let next = Promise.withResolvers<void>()
  return {
    /** Resolves with the next notification; ask before looking, so that no change is missed. */
    changed: (): Promise<void> => next.promise,

    notify(): void {
      const { resolve } = next
      next = Promise.withResolvers()
      resolve()
    },
  }
}

export type Notifier = ReturnType<typeof createNotifier>
