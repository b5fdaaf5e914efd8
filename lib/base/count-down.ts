/** Begins to count down from so many milliseconds; what it returns says how many are left, at last 0. */
export const countDown = (ms: number, now = () => performance.now()): (() => number) => {
  const end = now() + ms
  return () => Math.max(0, end - now())
}
