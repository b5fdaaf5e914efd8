import { closeSync, constants, openSync } from 'node:fs'
import { type OpenDirectory, StartError } from '../types.ts'
import { createEnvironmentVectors } from './environment-vector.ts'
import type { Executables } from './executable.ts'
import { createFileActions } from './file-actions.ts'
import {
  errnoText,
  type Libc,
  O_PATH,
  POSIX_SPAWN_SETSID,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
  SIZE_OF,
} from './libc.ts'

export interface Program {
  file: string
  args: string[]
  /** The same object for all that have it in common. */
  env: Record<string, string>
  ownEnv?: Record<string, string> | undefined
  cwd: string | OpenDirectory | undefined
}

/** What the child gets as its descriptors 0, 1 and 2, and `others` from 3 on. */
export interface Descriptors {
  stdin: number
  stdout: number
  stderr: number
  others?: number[]
}

/** How a process is started. */
export interface SpawnOptions {
  /** Called right before the start, for what the child inherits; what it returns is called right after it. */
  inherit(): () => void
  /** On another thread: the kernel holds the thread that starts a process until the new program is in place. */
  background?: boolean
}

/** Resolves with the pid, in the same turn of the loop unless it is in the background; rejects with StartError. */
export type Spawn = (program: Program, descriptors: Descriptors, options: SpawnOptions) => Promise<number>

/**
 * Starts processes with posix_spawnp(3): the true wait status, and a start whose cost does not grow with the
 * agent's memory, as fork's does.
 */
export const createSpawner = (
  libc: Libc,
  closeRest: (actions: Buffer, from: number) => void,
  executables: Executables,
) => {
  const attributes = spawnAttributes(libc)
  const home = openHome()
  const environmentOf = createEnvironmentVectors()
  const fileActions = createFileActions(libc, closeRest)
  let lastStart: Promise<unknown> = Promise.resolve()

  // A change of directory for the moment of the start: chdir says itself what is wrong with the directory,
  // and glibc has had a file action for it only since 2.29. Nothing else may run meanwhile.
  const inDirectory = <T>(directory: string | OpenDirectory | undefined, start: () => T): T => {
    if (directory === undefined) return start()
    enter(directory)
    try {
      return start()
    } finally {
      libc.fchdir(home)
    }
  }

  const enter = (directory: string | OpenDirectory): void => {
    const { path, fd } = typeof directory === 'string' ? { path: directory, fd: undefined } : directory
    if (fd !== undefined) {
      if (libc.fchdir(fd) !== 0) throw new StartError(`chdir ${path}: ${errnoText(libc.errno())}`)
      return
    }
    try {
      process.chdir(path)
    } catch (error) {
      throw new StartError(`chdir ${path}: ${errorText(error)}`)
    }
  }

  const spawn: Spawn = async (
    { file, args, env, ownEnv = {}, cwd },
    { stdin, stdout, stderr, others = [] },
    { inherit, background = false },
  ) => {
    const actions = fileActions.inheriting([stdin, stdout, stderr, ...others])
    const pid: [number] = [0]
    const argv = [file, ...args, null]
    const call = [
      pid,
      executables.locate(file),
      actions,
      attributes,
      argv,
      environmentOf(env, ownEnv),
    ] as const
    const start = (): number => inDirectory(cwd, () => libc.posix_spawn(...call))
    const restore = inherit()
    try {
      let error = background && cwd === undefined ? await inBackground(libc.posix_spawn, call) : start()
      // It may have moved since it was located; then the message is that of a search.
      if (error !== 0) error = inDirectory(cwd, () => libc.posix_spawnp(pid, file, ...call.slice(2)))
      if (error !== 0) throw new StartError(executables.startError(file, error))
      return pid[0]
    } finally {
      restore()
    }
  }

  return {
    /**
     * Calls `start` once every start that was asked for before has ended: what a child is to inherit (limits, the
     * working directory) is the whole agent's for that moment. `spawn` may be used until what `start` returns settles.
     */
    inTurn<T>(start: (spawn: Spawn) => Promise<T>): Promise<T> {
      const started = lastStart.then(() => start(spawn))
      lastStart = started.catch(() => {})
      return started
    },

    close(): void {
      fileActions.close()
      closeSync(home)
    },
  }
}

export type Spawner = ReturnType<typeof createSpawner>

/**
 * The agent's own directory, which it comes back to. It need not be readable; one that may not even be entered (the
 * agent was started by sudo out of /root) is left for `/`, since nobody could come back to it.
 */
const openHome = (): number => {
  try {
    return openSync('.', O_PATH | constants.O_DIRECTORY)
  } catch {
    process.chdir('/')
    return openSync('.', O_PATH | constants.O_DIRECTORY)
  }
}

/** A call of a C function on a thread of libuv's pool. */
const inBackground = (call: Libc['posix_spawn'], args: readonly unknown[]): Promise<number> =>
  new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, result: number) => (error ? reject(error) : resolve(result)))
  })

const errorText = (error: unknown): string => errnoText(-((error as NodeJS.ErrnoException).errno ?? 0))

/** A session of its own, every signal as the system has it by default, none blocked. */
const spawnAttributes = (libc: Libc): Buffer => {
  const attributes = Buffer.alloc(SIZE_OF.spawnAttributes)
  libc.posix_spawnattr_init(attributes)
  libc.posix_spawnattr_setflags(
    attributes,
    POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK,
  )
  // All bits, not sigfillset(3): that leaves out 32 and 33, which then stay ignored in the child.
  libc.posix_spawnattr_setsigdefault(attributes, Buffer.alloc(SIZE_OF.signalSet, 0xff))
  libc.posix_spawnattr_setsigmask(attributes, Buffer.alloc(SIZE_OF.signalSet))
  return attributes
}
