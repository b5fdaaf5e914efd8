import { type Exit, parseWaitStatus } from '../exit-status.ts'
import {
  CLD_STOPPED,
  type Libc,
  P_ALL,
  P_PID,
  PR_SET_CHILD_SUBREAPER,
  SIZE_OF,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
} from './libc.ts'
import type { Mark } from './mark.ts'
import { createChildrenReader } from './proc.ts'

/**
 * Collects the ends of the processes that it is told of, and of the orphans of jobs. The agent is a subreaper
 * (prctl(2)): what a job's own process leaves behind becomes a child of the agent, so it is known without a look
 * at every process of the machine, and no zombie gathers. Children of libuv are left to libuv. There can be only
 * one in a process.
 */
export const createReaper = (libc: Libc, mark: Mark) => {
  const started = new Map<number, { resolve(exit: Exit): void; keepsAlive: boolean }>()
  const readChildren = createChildrenReader()
  /** Orphans by pid, with their marks. Until they are reaped, their pids are not used again. */
  const orphans = new Map<number, number>()
  /** Dead children that nobody is known to wait for, with the time when they were seen first. */
  const strangers = new Map<number, number>()
  const usage = Buffer.alloc(SIZE_OF.rusage)
  const info = Buffer.alloc(SIZE_OF.signalInfo)
  let waitedFor = 0

  libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

  /** Some child that has ended and was not reaped; 0 when there is none. The kernel looks at all of them for it. */
  const nextZombie = (): number => {
    for (;;) {
      info.fill(0)
      if (libc.waitid(P_ALL, 0, info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) !== 0) return 0
      const pid = info.readInt32LE(SI_PID)
      if (info.readInt32LE(SI_CODE) !== CLD_STOPPED) return pid
      takeStopped(pid)
    }
  }

  /** Kills what may not stand still: of a job's own processes, being stopped is their own affair. */
  const takeStopped = (pid: number): void => {
    libc.waitid(P_PID, pid, info, WSTOPPED | WNOHANG)
    if (started.get(pid)?.keepsAlive === false) process.kill(pid, 'SIGKILL')
  }

  /** Takes the status of a child if it has ended. */
  const collect = (pid: number): void => {
    const status: [number] = [0]
    const result = libc.wait4(pid, status, WNOHANG, usage)
    if (result === 0) return
    orphans.delete(pid)
    const waiting = started.get(pid)
    if (!waiting) return
    started.delete(pid)
    if (waiting.keepsAlive && --waitedFor === 0) safetyNet.unref()
    // -1 is ECHILD: somebody else took the status, so how the process ended is not known.
    waiting.resolve(result === pid ? { status: parseWaitStatus(status[0]), cpu: cpuOf(usage) } : UNKNOWN_EXIT)
  }

  /** Starts under way on another thread, whose children may end before anybody knows their pids. */
  let unknownStarts = 0
  let isPutOff = false

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

  /** For when another one stands in front of them. */
  const collectStarted = (): void => {
    for (const pid of started.keys()) collect(pid)
  }

  // Signals coalesce, so each SIGCHLD collects all there is; the cost is that of what has ended, not of what lives.
  const reap = (): void => {
    for (let pid = nextZombie(); pid !== 0; pid = nextZombie()) {
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
    strangers.clear()
  }

  // Registered for good and before the first start: without a handler a SIGCHLD is lost, not kept. A slow timer
  // catches one that was missed, and keeps the loop alive while somebody waits: the signal does not.
  process.on('SIGCHLD', reap)
  const safetyNet = setInterval(reap, SAFETY_NET_MS).unref()

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
    mayHoldOrphan(marks: ReadonlySet<number>): boolean {
      try {
        const children = readChildren()
        if (!children || mark.label === undefined) return true
        for (const pid of children) {
          if (started.has(pid) || orphans.has(pid)) continue
          const of = mark.of(pid)
          if (of !== undefined) orphans.set(pid, of)
        }
      } catch {
        return true // No descriptor is free to look.
      }
      for (const of of orphans.values()) if (marks.has(of)) return true
      return false
    },
  }
}

export type Reaper = ReturnType<typeof createReaper>

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

/** Where siginfo_t has them on 64-bit Linux. */
const SI_CODE = 8
const SI_PID = 16
const SAFETY_NET_MS = 1000
