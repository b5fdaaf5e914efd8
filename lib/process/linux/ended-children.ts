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

  const look = (type: number, pid: number, options: number): ChildReport | undefined => {
    info.fill(0)
    if (libc.waitid(type, pid, info, options | WNOHANG) !== 0) return undefined
    const found = info.readInt32LE(SI_PID)
    return found === 0
      ? undefined
      : { pid: found, code: info.readInt32LE(SI_CODE), status: info.readInt32LE(SI_STATUS) }
  }

  /**
   * A child that has made the agent its tracer (PTRACE_TRACEME) stands still at each signal. The agent is no debugger,
   * so it lets the child go on as if it were not traced, with the signal (but the SIGTRAP of an execve(2), which only
   * tracing sends). A child that was started on another thread cannot be let go: it stands still until it is killed.
   */
  const letGo = ({ pid, status: signal }: ChildReport): void => {
    look(P_PID, pid, WSTOPPED)
    libc.ptrace(PTRACE_DETACH, pid, null, signal === SIGTRAP ? 0 : signal)
  }

  return {
    /** A child that has ended; undefined when there is none, `busy` when there is more to do than a turn may take. */
    next(): number | 'busy' | undefined {
      for (let stops = 0; stops < MOST_STOPS; stops++) {
        const child = look(P_ALL, 0, WEXITED | WNOWAIT)
        if (child?.code !== CLD_TRAPPED && child?.code !== CLD_STOPPED) return child?.pid
        letGo(child)
      }
      return 'busy'
    },

    /** Whether a child was stopped since the last call. */
    wasStopped: (pid: number): boolean => look(P_PID, pid, WSTOPPED)?.code === CLD_STOPPED,
  }
}

/** What waitid(2) tells of a child: its pid, CLD_EXITED or the like, its exit code or the signal. */
interface ChildReport {
  pid: number
  code: number
  status: number
}

const MOST_STOPS = 32
/** Where siginfo_t has them on 64-bit Linux. */
const SI_CODE = 8
const SI_PID = 16
const SI_STATUS = 24
const SIGTRAP = 5
