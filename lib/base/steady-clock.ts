/**
 * Tells milliseconds that run on evenly from the wall time that it begins with: nobody sets this clock, so what it is
 * to wait for comes neither too early nor too late.
 */
export interface SteadyClock {
  now(): number
  /** The wall time of one of its times, as it is to be shown. */
  toWall(ms: number): number
}

export const createSteadyClock = (
  wallMs: () => number = Date.now,
  monotonicMs: () => number = () => performance.now(),
): SteadyClock => {
  const origin = wallMs() - monotonicMs()
  const now = (): number => Math.round(origin + monotonicMs())
  return {
    now,
    // In whole seconds, so that the same time is always shown as the same.
    toWall: ms => ms + Math.round((wallMs() - now()) / 1000) * 1000,
  }
}
