import type { Mark } from './mark.ts'
import { openChildren } from './proc.ts'

/**
 * What jobs have left behind. The agent is a subreaper, so an orphan of a job becomes a child of the agent: it is
 * known without a look at every process of the machine. Until it is reaped, its pid is not used again.
 */
export const createOrphans = (mark: Mark, isStarted: (pid: number) => boolean) => {
  const children = openChildren()
  const marks = new Map<number, number>()

  return {
    has: (pid: number): boolean => marks.has(pid),

    forget: (pid: number): void => void marks.delete(pid),

    close: (): void => children.close(),

    /** Whether there is, or may be, an orphan with one of these marks. */
    mayBear(wanted: ReadonlySet<number>): boolean {
      try {
        const pids = children.read()
        if (!pids || mark.label === undefined) return true
        for (const pid of pids) {
          if (isStarted(pid) || marks.has(pid)) continue
          const found = mark.read(pid)
          if (found !== undefined) marks.set(pid, found)
        }
      } catch {
        return true // No descriptor is free to look.
      }
      for (const found of marks.values()) if (wanted.has(found)) return true
      return false
    },
  }
}
