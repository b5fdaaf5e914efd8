/** Waits for a promise, but no longer than `ms` milliseconds; undefined when the time is up first. */
export const within = async <T>(promise: Promise<T>, ms: number): Promise<T | undefined> => {
  const { promise: timeUp, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, ms, undefined)
  try {
    return await Promise.race([promise, timeUp])
  } finally {
    clearTimeout(timer)
  }
}
