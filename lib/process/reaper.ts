import { type ExitStatus, parseWaitStatus } from './exit-status.ts'
import { type Libc, SIZE_OF, WNOHANG } from './libc.ts'

/**
 * Collects the ends of the processes that it is told of, and of no others: libuv waits for its own children.
 * Signals coalesce, so each SIGCHLD asks for every living process (wait4(2)); a slow timer catches a signal
 * that was missed, and keeps the loop alive while there is a process to wait for: the signal does not.
 */
export const createReaper = (libc: Libc) => {
  const living = new Map<number, (status: ExitStatus) => void>()
  const usage = Buffer.alloc(SIZE_OF.rusage)

  const reap = (): void => {
    for (const [pid, resolve] of living) {
      const status: [number] = [0]
      const result = libc.wait4(pid, status, WNOHANG, usage)
      if (result === 0) continue
      living.delete(pid)
      if (living.size === 0) safetyNet.unref()
      // -1 is ECHILD: somebody else took the status, so how the process ended is not known.
      resolve(result === pid ? parseWaitStatus(status[0]) : { exitCode: 255, signal: 0, coreDumped: false })
    }
  }

  // Registered for good and before the first start: without a handler a SIGCHLD is lost, not kept.
  process.on('SIGCHLD', reap)
  const safetyNet = setInterval(reap, SAFETY_NET_MS).unref()

  return {
    exitOf: (pid: number): Promise<ExitStatus> =>
      new Promise(resolve => {
        living.set(pid, resolve)
        safetyNet.ref()
      }),
  }
}

export type Reaper = ReturnType<typeof createReaper>

const SAFETY_NET_MS = 1000
