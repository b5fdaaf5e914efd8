import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Libc, O_CLOEXEC, O_NONBLOCK } from './libc.ts'
import type { Mark } from './mark.ts'
import type { PosixSpawn } from './posix-spawn.ts'
import type { Reaper } from './reaper.ts'

export interface GuardianOptions {
  libc: Libc
  mark: Mark
  reaper: Reaper
  spawn: PosixSpawn
}

/**
 * A shell that outlives the agent by a moment. Its input is a pipe whose other end only the agent holds, so end of
 * file means that the agent is gone, however it went: then it kills whatever bears the mark of a running job, and
 * removes their scripts. It is started with the first job, and again whenever it has ended.
 */
export const createGuardian = ({ libc, mark, reaper, spawn }: GuardianOptions) => {
  const program = readFileSync(join(import.meta.dirname, 'guardian.sh'), 'utf8')
  /** The running jobs by their marks. */
  const running = new Map<number, { script: string; pid: number }>()
  let shell: { pid: number; pipe: number; startedAt: number } | undefined

  const begin = (): void => {
    if (shell || running.size === 0) return
    const ends: [number, number] = [-1, -1]
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) return
    const [read, pipe] = ends
    try {
      const pid = spawnShell(read)
      // A guardian that does not read must not make the agent wait.
      libc.fcntl(pipe, F_SETFL, 'int', O_NONBLOCK)
      const begun = { pid, pipe, startedAt: performance.now() }
      shell = begun
      void reaper.exitOf(pid, { keepsAlive: false }).then(() => hasEnded(begun))
      for (const [of, { script, pid }] of running) {
        tell(`+ ${of} ${script}`)
        if (pid > 0) tell(`= ${of} ${pid}`)
      }
    } catch {
      closeSync(pipe) // No shell, or no process to be had: it is tried again with the next job.
    } finally {
      closeSync(read)
    }
  }

  const spawnShell = (stdin: number): number => {
    const devNull = openSync('/dev/null', 'w')
    try {
      // In the environment the program does not fill a page of ps(1).
      const args = ['-c', 'eval "$program"', 'newdt-auto-guardian', mark.label ?? '', String(process.pid)]
      const env = { PATH: libc.getenv('PATH') ?? '', program }
      const descriptors = { stdin, stdout: devNull, stderr: devNull }
      return spawn({ file: 'sh', args, env, cwd: '/' }, descriptors, start => mark.during(0, start))
    } finally {
      closeSync(devNull)
    }
  }

  const hasEnded = (ended: NonNullable<typeof shell>): void => {
    closeSync(ended.pipe)
    if (shell === ended) shell = undefined
    // One that ends at once, again and again, must not keep the agent busy.
    const lived = performance.now() - ended.startedAt
    if (lived >= SHORTEST_LIFE_MS) begin()
    else setTimeout(begin, SHORTEST_LIFE_MS).unref()
  }

  const tell = (line: string): void => {
    if (!shell) return
    const { pid, pipe } = shell
    try {
      writeSync(pipe, `${line}\n`)
    } catch {
      // It is stopped (EAGAIN) or gone (EPIPE). What it knows is out of date: it must not act on it.
      if (reaper.holds(pid)) process.kill(pid, 'SIGKILL')
      shell = undefined
      begin()
    }
  }

  return {
    /** From now on the agent's death is that of whatever bears the mark; `script` is removed then, too. */
    protect(of: number, script = ''): void {
      if (mark.label === undefined) return
      const job = { script: script.includes('\n') ? '' : script, pid: 0 }
      running.set(of, job)
      if (shell) tell(`+ ${of} ${job.script}`)
      else begin()
    },

    /** The job's own process runs. */
    tellLeader(of: number, pid: number): void {
      const job = running.get(of)
      if (!job) return
      job.pid = pid
      tell(`= ${of} ${pid}`)
    },

    /** The job has ended: what it has left in the background is nobody's business any more. */
    release(of: number): void {
      if (running.delete(of)) tell(`- ${of}`)
    },
  }
}

export type Guardian = ReturnType<typeof createGuardian>

const F_SETFL = 4
const SHORTEST_LIFE_MS = 1000
