import { type Exit, parseWaitStatus } from '../exit-status.ts'
import { createEndedChildren } from './ended-children.ts'
import { type Libc, PR_SET_CHILD_SUBREAPER, SA_NOCLDSTOP, SIGCHLD, SIZE_OF, WNOHANG } from './libc.ts'
import type { Mark } from './mark.ts'
import { createOrphans } from './orphans.ts'

/**
 * Collects the ends of the processes that it is told of, and of the orphans of jobs, for which the agent becomes a
 * subreaper (prctl(2)); so no zombie gathers. Children of libuv are left to libuv. There can be only one reaper in a
 * process.
 */
export const createReaper = (libc: Libc, mark: Mark) => {
  const started = new Map<number, { resolve(exit: Exit): void; keepsAlive: boolean }>()
  const orphans = createOrphans(mark, pid => started.has(pid))
  const endedChildren = createEndedChildren(libc)
  /** Dead children that nobody is known to wait for, with the time when they were seen first. */
  const strangers = new Map<number, number>()
  const usage = Buffer.alloc(SIZE_OF.rusage)
  let waitedFor = 0
  /** Starts under way on another thread, whose children may end before anybody knows their pids. */
  let unknownStarts = 0
  let isPutOff = false

  /** Takes the status of a child if it has ended. */
  const collect = (pid: number): void => {
    const status: [number] = [0]
    const result = libc.wait4(pid, status, WNOHANG, usage)
    // wait4 reports a traced child that has stopped, asked or not; that is no end.
    if (result === 0 || (result === pid && (status[0] & 0xff) === STOPPED)) return
    orphans.forget(pid)
    const waiting = started.get(pid)
    if (!waiting) return
    started.delete(pid)
    if (waiting.keepsAlive && --waitedFor === 0) safetyNet.unref()
    // -1 is ECHILD: somebody else took the status, so how the process ended is not known.
    waiting.resolve(result === pid ? { status: parseWaitStatus(status[0]), cpu: cpuOf(usage) } : UNKNOWN_EXIT)
  }

  /** Used when a zombie that is not to be reaped yet blocks waitid(P_ALL), which always reports that one first. */
  const collectStarted = (): void => {
    for (const pid of started.keys()) collect(pid)
  }

  const isOurs = (pid: number): boolean =>
    started.has(pid) || orphans.has(pid) || process.pid === 1 || bearsMark(pid)

  const bearsMark = (pid: number): boolean => {
    try {
      return mark.of(pid) !== undefined
    } catch {
      return false // No descriptor is free: it is asked again.
    }
  }

  /** libuv reaps its children at once; what has been dead for longer is an orphan without a mark (from su, say). */
  const isNobodys = (pid: number): boolean => {
    const seen = strangers.get(pid)
    if (seen === undefined) strangers.set(pid, performance.now())
    return seen !== undefined && performance.now() - seen >= SAFETY_NET_MS
  }

  // Signals coalesce, so each SIGCHLD collects all there is; the cost is that of what has ended, not of what lives.
  // Orphans of a job may end faster than they are reaped, so a turn takes only so many.
  const reap = (): void => {
    for (let reaped = 0; reaped < MOST_REAPED; reaped++) {
      const pid = endedChildren.next()
      if (pid === undefined) {
        strangers.clear()
        return
      }
      if (pid === 'busy') break
      if (unknownStarts > 0 && !started.has(pid)) {
        // Whose it is will be known in a moment.
        isPutOff = true
        collectStarted()
        return
      }
      if (!isOurs(pid) && !isNobodys(pid)) {
        collectStarted()
        setTimeout(reap, SAFETY_NET_MS).unref()
        return
      }
      strangers.delete(pid)
      collect(pid)
    }
    collectStarted()
    reapLater()
  }

  let isReapingLater = false
  const reapLater = (): void => {
    if (isReapingLater) return
    isReapingLater = true
    setImmediate(() => {
      isReapingLater = false
      reap()
    })
  }

  /** A helper of the agent's own that stands still is of no use: it is killed, and its end is collected as any. */
  const killStoppedHelpers = (): void => {
    for (const [pid, { keepsAlive }] of started) {
      if (!keepsAlive && endedChildren.wasStopped(pid)) process.kill(pid, 'SIGKILL')
    }
  }

  libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
  // Registered for good and before the first start: without a handler a SIGCHLD is lost, not kept. A slow timer
  // catches one that was missed, and keeps the loop alive while somebody waits: the signal does not.
  process.on('SIGCHLD', reap)
  ignoreStops(libc)
  const safetyNet = setInterval(() => {
    killStoppedHelpers()
    reap()
  }, SAFETY_NET_MS).unref()

  return {
    /**
     * Must be called before the loop turns after the start, or see expectStart. One that does not keep the agent
     * alive is a helper of its own: it is killed when somebody stops it.
     */
    exitOf: (pid: number, { keepsAlive = true } = {}): Promise<Exit> =>
      new Promise(resolve => {
        started.set(pid, { resolve, keepsAlive })
        if (!keepsAlive) return
        waitedFor++
        safetyNet.ref()
      }),

    /**
     * A start on another thread begins; the function that is returned is to be called when its process, if there is
     * one, was made known by exitOf.
     */
    expectStart(): () => void {
      unknownStarts++
      return () => {
        unknownStarts--
        if (!isPutOff) return
        isPutOff = false
        reap()
      }
    },

    /** How many processes are waited for. */
    countRunning: (): number => waitedFor,

    /** Whether it is a process that was started here and is not reaped: its pid is not used again. */
    holds: (pid: number): boolean => started.has(pid),

    /** Whether there is, or may be, an orphan with one of these marks. */
    mayHoldOrphan: orphans.mayBear,

    close(): void {
      process.off('SIGCHLD', reap)
      clearInterval(safetyNet)
    },
  }
}

export type Reaper = ReturnType<typeof createReaper>

/**
 * Has the kernel send no SIGCHLD for children that are stopped or continued, sigaction(2): processes of a job that
 * stop and continue each other would keep the agent busy with nothing but that.
 */
const ignoreStops = (libc: Libc): void => {
  const action = Buffer.alloc(SIZE_OF.sigaction)
  if (libc.sigaction(SIGCHLD, null, action) !== 0) return
  action.writeInt32LE(action.readInt32LE(SA_FLAGS) | SA_NOCLDSTOP, SA_FLAGS)
  libc.sigaction(SIGCHLD, action, null)
}

/** utime and stime, each as seconds and microseconds, getrusage(2). */
const cpuOf = (usage: Buffer) => {
  const seconds = (at: number) =>
    Number(usage.readBigInt64LE(at)) + Number(usage.readBigInt64LE(at + 8)) / 1e6
  return { user: seconds(0), system: seconds(16) }
}

const UNKNOWN_EXIT: Exit = {
  status: { exitCode: 255, signal: 0, coreDumped: false },
  cpu: { user: 0, system: 0 },
}

/** The low byte of the status of a process that has stopped, WIFSTOPPED in wait(2). */
const STOPPED = 0x7f
/** Where glibc's struct sigaction has them: after the handler and the mask. */
const SA_FLAGS = 136
const MOST_REAPED = 64
const SAFETY_NET_MS = 1000
