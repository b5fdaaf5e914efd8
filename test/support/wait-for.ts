import { setTimeout } from 'node:timers/promises'

/** Waits until a condition holds, asked every few milliseconds; fails with its label after the deadline. */
export const waitFor = async <T>(
  label: string,
  condition: () => T | Promise<T>,
  deadlineMs = 15_000,
): Promise<Exclude<T, false | 0 | '' | null | undefined>> => {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const value = await condition()
    if (value) return value as Exclude<T, false | 0 | '' | null | undefined>
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${label}`)
    await setTimeout(5)
  }
}
