import { pause } from '../../lib/client/retry.ts'

/** Does something now and after each pause, until the signal is aborted; one at a time. */
export const every = async (ms: number, act: () => Promise<unknown>, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await act()
    await pause(ms, signal)
  }
}
