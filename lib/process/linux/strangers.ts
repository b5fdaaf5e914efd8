import type { Mark } from './mark.ts'

/**
 * Dead children that were not started here: orphans of jobs, which are the agent's to reap, or children of libuv, which
 * are not. libuv reaps its own at once, so what stays dead for `graceMs` is an orphan, even without a mark (from su, say).
 */
export const createStrangers = (mark: Pick<Mark, 'read'>, graceMs: number) => {
  const firstSeen = new Map<number, number>()

  const bearsMark = (pid: number): boolean => {
    try {
      return mark.read(pid) !== undefined
    } catch {
      return false // No descriptor is free: it is asked again.
    }
  }

  return {
    isOrphan(pid: number): boolean {
      if (process.pid === 1 || bearsMark(pid)) return true
      const seen = firstSeen.get(pid)
      if (seen === undefined) firstSeen.set(pid, performance.now())
      return seen !== undefined && performance.now() - seen >= graceMs
    },

    forget: (pid: number): void => void firstSeen.delete(pid),

    forgetAll: (): void => firstSeen.clear(),
  }
}
