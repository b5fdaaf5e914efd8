import { accessSync, constants, openSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { getSystemErrorMessage } from 'node:util'
import { StartError } from '../types.ts'
import { createEnvironmentVectors } from './environment-vector.ts'
import {
  EACCES,
  ENOENT,
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
  cwd: string | undefined
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

/**
 * Starts processes with posix_spawnp(3): the true wait status, and a start whose cost does not grow with the
 * agent's memory, as fork's does. One at a time: what a child inherits is the whole agent's meanwhile.
 */
export const createPosixSpawn = (libc: Libc, closeRest: (actions: Buffer, from: number) => void) => {
  const attributes = spawnAttributes(libc)
  const home = openHome()

  const environmentOf = createEnvironmentVectors()
  const actionsFor = createFileActions(libc, closeRest)
  const located = new Map<string, string>()
  let searchPath: string | null = null

  /** Found once, for each start would pay a failed execve(2) in every directory before the right one. */
  const locate = (file: string): string => {
    if (libc.getenv('PATH') !== searchPath) {
      searchPath = libc.getenv('PATH')
      located.clear()
    }
    const path = located.get(file) ?? (file.includes('/') ? file : (lookUp(file, searchPath ?? '') ?? file))
    located.set(file, path)
    return path
  }

  // A change of directory for the moment of the start: chdir says itself what is wrong with the directory,
  // and glibc has had a file action for it only since 2.29. Nothing else may run meanwhile.
  const inDirectory = <T>(directory: string | undefined, start: () => T): T => {
    if (directory === undefined) return start()
    try {
      process.chdir(directory)
    } catch (error) {
      throw new StartError(`chdir ${directory}: ${errorText(error)}`)
    }
    try {
      return start()
    } finally {
      libc.fchdir(home)
    }
  }

  /** Resolves with the pid, in the same turn of the loop unless it is in the background; rejects with StartError. */
  return async (
    { file, args, env, ownEnv = {}, cwd }: Program,
    { stdin, stdout, stderr, others = [] }: Descriptors,
    { inherit, background = false }: SpawnOptions,
  ): Promise<number> => {
    const actions = actionsFor([stdin, stdout, stderr, ...others])
    const pid: [number] = [0]
    const argv = [file, ...args, null]
    const call = [pid, locate(file), actions, attributes, argv, environmentOf(env, ownEnv)] as const
    const start = (): number => inDirectory(cwd, () => libc.posix_spawn(...call))
    const restore = inherit()
    try {
      let error = background && cwd === undefined ? await inBackground(libc.posix_spawn, call) : start()
      // It may have moved since it was located; then the message is that of a search.
      if (error !== 0) error = inDirectory(cwd, () => libc.posix_spawnp(pid, file, ...call.slice(2)))
      if (error !== 0) throw new StartError(startErrorText(file, error, libc.getenv('PATH')))
      return pid[0]
    } finally {
      restore()
    }
  }
}

/**
 * What is to be done with descriptors in the child. Numbers that are free are used again, the lowest first: so it is
 * the same few for most starts, and those are kept.
 */
const createFileActions = (libc: Libc, closeRest: (actions: Buffer, from: number) => void) => {
  const known = new Map<string, Buffer>()

  const forgetAll = (): void => {
    for (const actions of known.values()) libc.posix_spawn_file_actions_destroy(actions)
    known.clear()
  }

  const create = (inherited: number[]): Buffer => {
    const actions = Buffer.alloc(SIZE_OF.fileActions)
    libc.posix_spawn_file_actions_init(actions)
    // dup2 also clears FD_CLOEXEC, even of a descriptor onto itself (POSIX.1-2024).
    for (const [number, fd] of inherited.entries()) libc.posix_spawn_file_actions_adddup2(actions, fd, number)
    closeRest(actions, inherited.length)
    return actions
  }

  /** The child's descriptors from 0 on; what is returned is valid until the next call. */
  return (inherited: number[]): Buffer => {
    const key = inherited.join()
    let actions = known.get(key)
    if (!actions) {
      if (known.size >= MOST_KEPT_ACTIONS) forgetAll()
      actions = create(inherited)
      known.set(key, actions)
    }
    return actions
  }
}

const MOST_KEPT_ACTIONS = 256

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

export type PosixSpawn = ReturnType<typeof createPosixSpawn>

export const errnoText = (errno: number): string => getSystemErrorMessage(-errno) ?? `errno ${errno}`

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

const startErrorText = (file: string, errno: number, searchPath: string | null): string => {
  const path = file.includes('/') ? file : lookUp(file, searchPath ?? '')
  if (path === undefined && (errno === ENOENT || errno === EACCES)) {
    return `exec: "${file}": executable file not found in $PATH`
  }
  return `fork/exec ${path ?? file}: ${errnoText(errno)}`
}

/** Where posix_spawnp finds a program. */
const lookUp = (file: string, searchPath: string): string | undefined =>
  searchPath
    .split(delimiter)
    .map(directory => join(directory, file))
    .find(path => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
