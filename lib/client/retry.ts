import { aborted, ClientError, failed, type Result } from './result.ts'

/** Tries again, less and less often, while the agent does not answer; for at most `patienceMs` milliseconds. */
export const withPatience = async <T>(
  attempt: () => Promise<Result<T>>,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<Result<T>> => {
  const since = performance.now()
  let mayBeDone = false
  for (let tries = 0; ; tries++) {
    const result = await attempt()
    if (result.ok || !isPassing(result.error)) return result
    mayBeDone ||= result.error.mayBeDone
    const delay = delayMs(tries, result.error)
    if (performance.now() - since + delay > patienceMs) return failed(marked(result.error, mayBeDone))
    await pause(delay, signal)
    if (signal?.aborted) return failed(aborted(signal))
  }
}

/** By an earlier try than the one that has failed so. */
const marked = (error: ClientError, mayBeDone: boolean): ClientError =>
  error.mayBeDone === mayBeDone
    ? error
    : new ClientError(error.word, error.message, { ...error, cause: error.cause, mayBeDone })

/** Whether another try may well succeed, because nobody has answered, or a proxy has in the agent's place. */
export const isPassing = ({ word, status }: ClientError): boolean =>
  word === 'unreachable' ||
  word === 'too-many-guesses' ||
  word === 'nonce-not-remembered' ||
  (word === 'not-an-agent' && (status === 502 || status === 503 || status === 504))

/** From 50 to 100 ms, and twice that after each try, up to 2 s: clients of one agent do not return all at once. */
export const delayMs = (tries: number, { retryAfterMs = 0 }: Pick<ClientError, 'retryAfterMs'>): number =>
  Math.max(retryAfterMs, Math.min(2000, 100 * 2 ** tries) * (0.5 + Math.random() / 2))

/** Resolves after that time, or at once when the signal is aborted. */
export const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal?.aborted) return Promise.resolve()
  const timer = setTimeout(resolve, ms)
  const stop = () => resolve()
  signal?.addEventListener('abort', stop)
  return promise.finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  })
}
