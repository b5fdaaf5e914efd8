import { accessSync, constants, openSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { getSystemErrorMessage } from 'node:util'
import { createEnvironmentVectors } from './environment-vector.ts'
import {
  EACCES,
  ENOENT,
  type Libc,
  POSIX_SPAWN_SETSID,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
  SIZE_OF,
} from './libc.ts'
import { StartError } from './spawn.ts'

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

/**
 * Starts processes with posix_spawnp(3): the true wait status, and a start whose cost does not grow with the
 * agent's memory, as fork's does. `around` wraps the call itself, for what the child inherits at that moment.
 */
export const createPosixSpawn = (libc: Libc, closeRest: (actions: Buffer, from: number) => void) => {
  const attributes = spawnAttributes(libc)
  const home = openSync('.', constants.O_RDONLY | constants.O_DIRECTORY)

  const environmentOf = createEnvironmentVectors()
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
  // and glibc has had a file action for it only since 2.29. Nothing else runs meanwhile.
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

  /** Returns the pid; throws StartError. */
  return (
    program: Program,
    { stdin, stdout, stderr, others = [] }: Descriptors,
    around: (start: () => number) => number,
  ) => {
    const actions = Buffer.alloc(SIZE_OF.fileActions)
    libc.posix_spawn_file_actions_init(actions)
    try {
      // dup2 also clears FD_CLOEXEC, even of a descriptor onto itself (POSIX.1-2024).
      const inherited = [stdin, stdout, stderr, ...others]
      for (const [number, fd] of inherited.entries())
        libc.posix_spawn_file_actions_adddup2(actions, fd, number)
      closeRest(actions, inherited.length)
      const pid: [number] = [0]
      const { file, args, env, ownEnv = {}, cwd } = program
      const argv = [file, ...args, null]
      const envp = environmentOf(env, ownEnv)
      const start = () => {
        const error = libc.posix_spawn(pid, locate(file), actions, attributes, argv, envp)
        // It may have moved; then the message is that of a search.
        return error === 0 ? 0 : libc.posix_spawnp(pid, file, actions, attributes, argv, envp)
      }
      const error = inDirectory(cwd, () => around(start))
      if (error !== 0) throw new StartError(startErrorText(file, error, libc.getenv('PATH')))
      return pid[0]
    } finally {
      libc.posix_spawn_file_actions_destroy(actions)
    }
  }
}

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
