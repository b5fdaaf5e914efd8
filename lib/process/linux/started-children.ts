import { createPassingMap } from '../../base/passing-map.ts'
import { type Exit, parseWaitStatus } from '../exit-status.ts'
import { type Libc, SIZE_OF, WNOHANG } from './libc.ts'

/** Keeps the agent's loop alive, or not; a timer, for example. */
interface KeepAlive {
  ref(): unknown
  unref(): unknown
}

/** The children that were started here, and who waits for their ends. `keepAlive` has a reference as long as there are jobs. */
export const createStartedChildren = (libc: Libc, keepAlive: KeepAlive) => {
  const waiting = createPassingMap<number, Waiting>()
  const usage = Buffer.alloc(SIZE_OF.rusage)
  let jobs = 0

  /** Takes the status of a child, started here or not, if it has ended; returns whether it is reaped now. */
  const collect = (pid: number): boolean => {
    const status: [number] = [0]
    const result = libc.wait4(pid, status, WNOHANG, usage)
    // wait4 reports a traced child that has stopped, asked or not; that is no end.
    if (result === 0 || (result === pid && (status[0] & 0xff) === STOPPED)) return false
    const child = waiting.get(pid)
    if (!child) return true
    waiting.delete(pid)
    if (!child.isHelper && --jobs === 0) keepAlive.unref()
    // -1 is ECHILD: somebody else took the status, so how the process ended is not known.
    child.resolve(
      result === pid
        ? { status: parseWaitStatus(status[0]), cpu: cpuOf(usage), io: ioOf(usage) }
        : UNKNOWN_EXIT,
    )
    return true
  }

  return {
    has: (pid: number): boolean => waiting.has(pid),

    exitOf: (pid: number, isHelper: boolean): Promise<Exit> =>
      new Promise(resolve => {
        waiting.set(pid, { resolve, isHelper, since: performance.now() })
        if (isHelper) return
        jobs++
        keepAlive.ref()
      }),

    collect,

    collectAll(): void {
      for (const pid of waiting.keys()) collect(pid)
    },

    /** Whether the process of a job has lived for so long. */
    hasJobSince: (ms: number): boolean => {
      const oldest = jobs === 0 ? undefined : waiting.find(({ isHelper }) => !isHelper)
      return oldest !== undefined && performance.now() - oldest.since >= ms
    },

    helpers: (): number[] => waiting.keys().filter(pid => waiting.get(pid)?.isHelper),
  }
}

interface Waiting {
  resolve(exit: Exit): void
  isHelper: boolean
  /** By the monotonic clock. */
  since: number
}

export type StartedChildren = ReturnType<typeof createStartedChildren>

/** utime and stime, each as seconds and microseconds, getrusage(2). */
const cpuOf = (usage: Buffer) => {
  const seconds = (at: number) =>
    Number(usage.readBigInt64LE(at)) + Number(usage.readBigInt64LE(at + 8)) / 1e6
  return { user: seconds(0), system: seconds(16) }
}

/** ru_inblock and ru_oublock, in blocks of 512 bytes, getrusage(2). */
const ioOf = (usage: Buffer) => ({
  readBytes: 512 * Number(usage.readBigInt64LE(RU_INBLOCK)),
  writtenBytes: 512 * Number(usage.readBigInt64LE(RU_INBLOCK + 8)),
})

const RU_INBLOCK = 88

const UNKNOWN_EXIT: Exit = {
  status: { exitCode: 255, signal: 0, coreDumped: false },
  cpu: { user: 0, system: 0 },
}

/** The low byte of the status of a process that has stopped, WIFSTOPPED in wait(2). */
const STOPPED = 0x7f
