import {
  CLD_STOPPED,
  CLD_TRAPPED,
  type Libc,
  P_ALL,
  P_PID,
  PTRACE_DETACH,
  SIZE_OF,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
} from './libc.ts'

/** Tells which children have ended, without taking their statuses; see waitid(2). */
export const createEndedChildren = (libc: Libc) => {
  const info = Buffer.alloc(SIZE_OF.signalInfo)

  const look = (type: number, pid: number, options: number): { pid: number; code: number } | undefined => {
    info.fill(0)
    if (libc.waitid(type, pid, info, options | WNOHANG) !== 0) return undefined
    const found = info.readInt32LE(SI_PID)
    return found === 0 ? undefined : { pid: found, code: info.readInt32LE(SI_CODE) }
  }

  /**
   * A child that has made the agent its tracer (PTRACE_TRACEME) stands still at each signal. The agent is no debugger,
   * so it lets the child go on as if it were not traced. One that was started on another thread cannot be let go: it
   * stands still until it is killed.
   */
  const letGo = (pid: number): void => {
    look(P_PID, pid, WSTOPPED)
    libc.ptrace(PTRACE_DETACH, pid, null, 0)
  }

  return {
    /** A child that has ended; undefined when there is none, `busy` when there is more to do than a turn may take. */
    next(): number | 'busy' | undefined {
      for (let stops = 0; stops < MOST_STOPS; stops++) {
        const child = look(P_ALL, 0, WEXITED | WNOWAIT)
        if (child?.code !== CLD_TRAPPED && child?.code !== CLD_STOPPED) return child?.pid
        letGo(child.pid)
      }
      return 'busy'
    },

    /** Whether a child was stopped since the last call. */
    wasStopped: (pid: number): boolean => look(P_PID, pid, WSTOPPED)?.code === CLD_STOPPED,
  }
}

const MOST_STOPS = 32
/** Where siginfo_t has them on 64-bit Linux. */
const SI_CODE = 8
const SI_PID = 16
