import type { Exit } from '../exit-status.ts'
import { createEndedChildren } from './ended-children.ts'
import { type Libc, PR_SET_CHILD_SUBREAPER, SA_NOCLDSTOP, SIGCHLD, SIZE_OF } from './libc.ts'
import type { Mark } from './mark.ts'
import { createOrphans } from './orphans.ts'
import { createStartedChildren } from './started-children.ts'
import { createStrangers } from './strangers.ts'

/**
 * Collects the ends of the processes that it is told of, and of the orphans of jobs, for which the agent becomes a
 * subreaper (prctl(2)); so no zombie gathers. Children of libuv are left to libuv. There can be only one reaper in a
 * process.
 */
export const createReaper = (libc: Libc, mark: Mark) => {
  // A slow timer catches a SIGCHLD that was missed, and keeps the loop alive while somebody waits: the signal does not.
  const safetyNet = setInterval(() => {
    killStoppedHelpers()
    reap()
  }, SAFETY_NET_MS).unref()
  const started = createStartedChildren(libc, safetyNet)
  const orphans = createOrphans(mark, started.has)
  const strangers = createStrangers(mark, SAFETY_NET_MS)
  const endedChildren = createEndedChildren(libc)
  /** Starts under way on another thread, whose children may end before anybody knows their pids. */
  let unknownStarts = 0
  let nextTurn: NodeJS.Immediate | undefined

  // Signals coalesce, so each SIGCHLD collects all there is; the cost is that of what has ended, not of what lives.
  // Orphans of a job may end faster than they are reaped, so a turn takes only so many.
  const reap = (): void => {
    for (let reaped = 0; reaped < MOST_REAPED; reaped++) {
      const pid = endedChildren.next()
      if (pid === undefined) {
        strangers.forgetAll()
        return
      }
      if (pid === 'busy') break
      // Another child's zombie blocks waitid(P_ALL), which always reports that one first.
      if (mayNotBeTaken(pid)) {
        started.collectAll()
        return
      }
      if (!started.collect(pid)) continue
      orphans.forget(pid)
      strangers.forget(pid)
    }
    started.collectAll()
    nextTurn ??= setImmediate(() => {
      nextTurn = undefined
      reap()
    })
  }

  /** Whether the status of a dead child belongs, or may belong, to somebody else; then it is looked at again later. */
  const mayNotBeTaken = (pid: number): boolean => {
    if (started.has(pid)) return false
    if (unknownStarts > 0) return true // Whose it is will be known in a moment.
    return !orphans.has(pid) && !strangers.isOrphan(pid)
  }

  /** A helper of the agent's own that stands still is of no use: it is killed, and its end is collected as any. */
  const killStoppedHelpers = (): void => {
    for (const pid of started.helpers()) {
      if (endedChildren.wasStopped(pid)) process.kill(pid, 'SIGKILL')
    }
  }

  libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
  // Registered for good and before the first start: without a handler a SIGCHLD is lost, not kept.
  process.on('SIGCHLD', reap)
  ignoreStops(libc)

  return {
    /**
     * Must be called before the loop turns after the start, or see expectStart. A helper is a process of the agent's
     * own: it does not keep the agent alive, and it is killed when somebody stops it.
     */
    exitOf: (pid: number, { isHelper = false } = {}): Promise<Exit> => started.exitOf(pid, isHelper),

    /**
     * A start on another thread begins; the function that is returned is to be called when its process, if there is
     * one, was made known by exitOf.
     */
    expectStart(): () => void {
      unknownStarts++
      return () => {
        unknownStarts--
        reap()
      }
    },

    /** Whether a job's own process has been waited for as long as that, in milliseconds. */
    hasJobSince: started.hasJobSince,

    /** Whether it is a process that was started here and is not reaped: its pid is not used again. */
    holds: started.has,

    /** Whether there is, or may be, an orphan with one of these marks. */
    mayHoldOrphan: orphans.mayBear,

    close(): void {
      process.off('SIGCHLD', reap)
      clearInterval(safetyNet)
      clearImmediate(nextTurn)
      orphans.close()
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

/** Where glibc's struct sigaction has them: after the handler and the mask. */
const SA_FLAGS = 136
const MOST_REAPED = 64
const SAFETY_NET_MS = 1000
