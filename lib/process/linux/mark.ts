import { randomFillSync } from 'node:crypto'
import type { Libc } from './libc.ts'
import { readSoftLimit } from './proc.ts'
import { createSoftLimit, RLIM_INFINITY, RLIMIT_LOCKS, RLIMIT_RTTIME } from './resource-limit.ts'

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
  const nextRandom = createRandoms()
  const usable = limits.find(({ limit }) => limit.hard === RLIM_INFINITY)

  return {
    /** The limit's name in /proc/<pid>/limits; undefined where neither is free. */
    label: usable?.label,

    /** A number nobody sets by hand and no other agent draws: bit 51 set, 51 random bits, exact in a double. */
    newMark: (): number => SMALLEST_MARK + Number(BigInt.asUintN(51, nextRandom())),

    /** The mark of a process, a zombie included. An ordinary limit is never taken for one. */
    read(pid: number): number | undefined {
      const limit = usable && readSoftLimit(pid, usable.label)
      return limit !== undefined && limit >= SMALLEST_MARK ? limit : undefined
    },

    /** What is started gets the mark, or none if it is 0, until the function that is returned is called. */
    give(mark: number): () => void {
      usable?.limit.set(mark === 0 ? usable.limit.hard : BigInt(mark))
      return () => usable?.limit.restore()
    },
  }
}

export type Mark = ReturnType<typeof createMark>

const SMALLEST_MARK = 2 ** 51

/** Draws many numbers at once: asking the system for each would cost more than the rest of the mark. */
const createRandoms = (): (() => bigint) => {
  const randoms = new BigUint64Array(256)
  let unused = 0
  return () => {
    if (unused === 0) unused = randomFillSync(randoms).length
    return randoms[--unused]!
  }
}
