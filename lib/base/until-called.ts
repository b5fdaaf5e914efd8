export interface UntilCalledOptions {
  /** For how long, at most; for ever when absent. */
  ms?: number | undefined
  /** Ends the wait when it is aborted. */
  signal?: AbortSignal | undefined
}

/**
 * Waits until the function that `subscribe` gets is called; `subscribe` gives back what takes it back. Resolves with
 * false when the time was up first. Leaves nothing behind: no timer, no listener.
 */
export const untilCalled = async (
  subscribe: (tell: () => void) => () => void,
  { ms, signal }: UntilCalledOptions,
): Promise<boolean> => {
  if (signal?.aborted) return true
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const wake = () => resolve(true)
  const forget = subscribe(wake)
  const timer = ms === undefined ? undefined : setTimeout(resolve, ms, false)
  signal?.addEventListener('abort', wake)
  try {
    return await promise
  } finally {
    forget()
    clearTimeout(timer)
    signal?.removeEventListener('abort', wake)
  }
}
