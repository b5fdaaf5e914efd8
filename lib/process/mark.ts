import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Libc } from './libc.ts'
import { allPids, readLiving, readSoftLimit } from './proc.ts'
import { createSoftLimit, RLIM_INFINITY, RLIMIT_LOCKS, RLIMIT_RTTIME } from './resource-limit.ts'
import type { LivingProcess, Target } from './spawn.ts'

/**
 * The mark is a soft resource limit whose number is the job's alone. A limit is inherited through fork, exec,
 * setsid, `env -i`, double forks, closed descriptors and a change of user, and /proc/<pid>/limits shows it for
 * every process of the machine: so each process of a job can be found, wherever it went. RLIMIT_LOCKS has had
 * no effect since Linux 2.4; RLIMIT_RTTIME, in microseconds, is the second choice where the first is capped.
 * A job can change it on purpose (`ulimit -x`): it keeps order, it is no prison.
 */
export const createMark = (libc: Libc) => {
  const limits = [
    { label: 'Max file locks', limit: createSoftLimit(libc, RLIMIT_LOCKS) },
    { label: 'Max realtime timeout', limit: createSoftLimit(libc, RLIMIT_RTTIME) },
  ]
  const usable = limits.find(({ limit }) => limit.hard === RLIM_INFINITY)

  /** The process as it is now, if it lives and belongs to the target. */
  const identify = (pid: number, target: Target): LivingProcess | undefined => {
    // The mark is read first: most processes of a machine are not ours, and one read tells.
    if (usable && !isMarkOf(target, readSoftLimit(pid, usable.label))) return undefined
    const stat = readLiving(pid)
    if (!stat || (!usable && stat.session !== target.pid)) return undefined
    return { pid, startTime: stat.startTime, command: stat.command }
  }

  return {
    /** False where neither limit is free; then a job's processes are those of its session. */
    supported: usable !== undefined,

    /** A number nobody sets by hand and no other agent draws: bit 51 set, 51 random bits, exact in a double. */
    newMark: (): number => SMALLEST_MARK + Number(randomBytes(8).readBigUInt64LE() & (2n ** 51n - 1n)),

    /** Runs `start` while whatever it starts gets the mark. Must be synchronous. */
    during<T>(mark: number, start: () => T): T {
      usable?.limit.set(mark === 0 ? usable.limit.hard : BigInt(mark))
      try {
        return start()
      } finally {
        usable?.limit.restore()
      }
    },

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

export type Mark = ReturnType<typeof createMark>

/** No other number counts, whatever a target says: an ordinary limit must never be taken for a mark. */
const SMALLEST_MARK = 2 ** 51

const isMarkOf = (target: Target, limit: number | undefined): boolean =>
  limit !== undefined && limit >= SMALLEST_MARK && target.marks.has(limit)

const PROCESSES_A_TURN = 200
