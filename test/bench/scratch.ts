import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jobEnvironment } from '../../runtime/environment.ts'
import { type Known, know, lives } from '../support/proc.ts'
import { waitFor } from '../support/wait-for.ts'

/** A temporary directory and the processes of the benchmark: whatever is made here is gone in the end. */
export const createScratch = () => {
  const path = mkdtempSync(join(tmpdir(), 'bench-newdt-'))
  const env = { ...environment(), TMPDIR: mkdtempSync(join(path, 'tmp-')) }
  const processes = new Map<number, Known>()
  let isClosed = false

  const end = async (pid: number): Promise<void> => {
    const known = processes.get(pid)
    if (!known) return
    const isGone = (): boolean => !lives(known)
    if (!isGone()) process.kill(pid, 'SIGTERM')
    await waitFor(`process ${pid} is gone`, isGone, GRACE_MS).catch(() => {
      process.kill(pid, 'SIGKILL')
      return waitFor(`process ${pid} is gone`, isGone)
    })
    processes.delete(pid)
  }

  const endAll = async (): Promise<void> => {
    await Promise.all([...processes.keys()].map(end))
  }

  return {
    /** What every contestant and each of its jobs gets. */
    env,

    directory: (name: string): string => mkdtempSync(join(path, `${name}-`)),

    isClosed: (): boolean => isClosed,

    /** Starts a process that `end`, `endAll` and `remove` know. */
    start(file: string, args: string[], options: SpawnOptions = {}): ChildProcess & { pid: number } {
      if (isClosed) throw new Error('the benchmark is being stopped')
      const child = spawn(file, args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        ...options,
        env: { ...env, ...options.env },
      })
      child.on('error', () => {}) // Told by the missing pid.
      if (child.pid === undefined) throw new Error(`${file} cannot be started`)
      processes.set(child.pid, know(child.pid))
      return child as ChildProcess & { pid: number }
    },

    /** Makes a process that was started by another one known. */
    adopt(pid: number): Known {
      const known = know(pid)
      processes.set(pid, known)
      return known
    },

    /** TERM, and KILL for what stays; resolves when it is gone. */
    end,
    endAll,

    async remove(): Promise<void> {
      isClosed = true
      await endAll()
      rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

export type Scratch = ReturnType<typeof createScratch>

/** That of a job, so that all of them start the same command in the same one; and no cache of the user's. */
const environment = (): Record<string, string> => {
  const { NODE_COMPILE_CACHE: _cache, NODE_TEST_CONTEXT: _test, ...rest } = jobEnvironment(process.env)
  return rest
}

/** An agent may take 5 s to stop its jobs, and 2 s more. */
const GRACE_MS = 8000
