import { setImmediate } from 'node:timers/promises'
import type { Mark } from './mark.ts'
import { allPids, type ProcessStat, readLiving } from './proc.ts'
import type { Reaper } from './reaper.ts'
import type { LivingProcess, Target } from './spawn.ts'

/** Finds the processes of a job among all of the machine, and signals none but those. */
export const createSearch = (mark: Mark, reaper: Reaper, pageBytes: number) => {
  /** The process as it is now, if it lives and belongs to the target. */
  const identify = (pid: number, target: Target): LivingProcess | undefined => {
    // A leader that is not reaped keeps its pid, so it is known even if it has changed its own mark.
    const isLeader = pid === target.pid && reaper.holds(pid)
    // The mark is read first: most processes of a machine are not ours, and one read tells.
    if (mark.label !== undefined && !isLeader && !target.marks.has(mark.of(pid) ?? -1)) return undefined
    const stat = readLiving(pid)
    if (!stat) return undefined
    const isOfSession = target.pid > 0 && stat.session === target.pid
    return mark.label !== undefined || isLeader || isOfSession ? toLiving(pid, stat) : undefined
  }

  const toLiving = (pid: number, stat: ProcessStat): LivingProcess => ({
    pid,
    startTime: stat.startTime,
    parent: stat.parent,
    state: stat.state,
    command: stat.command,
    cpu: { user: stat.userTicks / TICKS_A_SECOND, system: stat.systemTicks / TICKS_A_SECOND },
    residentBytes: stat.residentPages * pageBytes,
  })

  return {
    /** Looks at every process of the machine, 12 to 18 µs each, and lets the loop breathe in between. */
    async find(target: Target): Promise<LivingProcess[]> {
      const found: LivingProcess[] = []
      for (const [index, pid] of allPids().entries()) {
        if (index % PROCESSES_A_TURN === PROCESSES_A_TURN - 1) await setImmediate()
        const living = identify(pid, target)
        if (living) found.push(living)
      }
      return found
    },

    /** Signals only what, at this moment, still has the mark and the start time that it was found with. */
    signal(found: LivingProcess, target: Target, signal: NodeJS.Signals): boolean {
      if (identify(found.pid, target)?.startTime !== found.startTime) return false
      try {
        return process.kill(found.pid, signal)
      } catch {
        return false // It ended just now, or belongs to another user.
      }
    },
  }
}

const PROCESSES_A_TURN = 200
/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_A_SECOND = 100
