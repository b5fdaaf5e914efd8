import { accessSync, closeSync, constants, openSync, writeSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { getSystemErrorMessage } from 'node:util'
import { createInheritance } from './inheritance.ts'
import {
  EACCES,
  ENOENT,
  type Libc,
  MFD_CLOEXEC,
  O_CLOEXEC,
  POSIX_SPAWN_SETSID,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
  SIZE_OF,
} from './libc.ts'
import type { Mark } from './mark.ts'
import { readPipe } from './output-pipe.ts'
import type { Reaper } from './reaper.ts'
import { StartError, type StartedProcess, type StartSpec } from './spawn.ts'

/**
 * Starts processes with posix_spawnp(3): real pipes (`echo x > /dev/stderr` works in a job), the true wait
 * status, and a start whose cost does not grow with the agent's memory, as fork's does.
 */
export const createPosixSpawn = (libc: Libc, mark: Mark, reaper: Reaper) => {
  const attributes = spawnAttributes(libc)
  const inheritance = createInheritance(libc)
  const devNull = openSync('/dev/null', 'r')
  const home = openSync('.', constants.O_RDONLY | constants.O_DIRECTORY)

  const spawn = (spec: StartSpec, stdin: number, stdout: number, stderr: number): number => {
    const actions = Buffer.alloc(SIZE_OF.fileActions)
    libc.posix_spawn_file_actions_init(actions)
    try {
      // dup2 also clears FD_CLOEXEC, even of a descriptor onto itself (POSIX.1-2024).
      libc.posix_spawn_file_actions_adddup2(actions, stdin, 0)
      libc.posix_spawn_file_actions_adddup2(actions, stdout, 1)
      libc.posix_spawn_file_actions_adddup2(actions, stderr, 2)
      inheritance.closeRest(actions)
      const pid: [number] = [0]
      const error = inHere(spec.cwd, () =>
        mark.during(spec.mark, () =>
          inheritance.during(() =>
            libc.posix_spawnp(pid, spec.file, actions, attributes, argv(spec), envp(spec.env)),
          ),
        ),
      )
      if (error !== 0) throw new StartError(startErrorText(spec.file, error, libc.getenv('PATH')))
      return pid[0]
    } finally {
      libc.posix_spawn_file_actions_destroy(actions)
    }
  }

  // A change of directory for the moment of the start: chdir says itself what is wrong with the directory,
  // and glibc has had a file action for it only since 2.29. Nothing else runs meanwhile.
  const inHere = <T>(directory: string | undefined, start: () => T): T => {
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

  const pipe = (): [number, number] => {
    const ends: [number, number] = [-1, -1]
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) throw new StartError(`pipe2: ${errnoText(libc.errno())}`)
    return ends
  }

  const memoryFile = (): number => {
    const fd = libc.memfd_create('stdin', MFD_CLOEXEC)
    if (fd < 0) throw new StartError(`memfd_create: ${errnoText(libc.errno())}`)
    return fd
  }

  return async (spec: StartSpec): Promise<StartedProcess> => {
    // Everything the child needs is opened here and closed again below, however the start ends.
    const childEnds: number[] = []
    const readEnds: number[] = []
    try {
      let stdin = devNull
      if (spec.stdin !== undefined) {
        stdin = memoryFile()
        childEnds.push(stdin)
        writeAll(stdin, spec.stdin)
      }
      const [outRead, outWrite] = pipe()
      readEnds.push(outRead)
      childEnds.push(outWrite)
      const [errRead, errWrite] = pipe()
      readEnds.push(errRead)
      childEnds.push(errWrite)
      const pid = spawn(spec, stdin, outWrite, errWrite)
      const exited = reaper.exitOf(pid)
      readEnds.length = 0 // They are the readers' now.
      const outputClosed = Promise.all([
        readPipe(outRead, bytes => spec.onOutput('stdout', bytes)),
        readPipe(errRead, bytes => spec.onOutput('stderr', bytes)),
      ]).then(() => {})
      return { pid, exited, outputClosed }
    } finally {
      for (const fd of [...childEnds, ...readEnds]) closeSync(fd)
    }
  }
}

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

/** Written by position, so the job finds its offset at 0; memory, so it never waits for a disk. */
const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at)
}

const argv = (spec: StartSpec): (string | null)[] => [spec.file, ...spec.args, null]

const envp = (env: Record<string, string>): (string | null)[] => {
  const strings: (string | null)[] = []
  for (const name in env) strings.push(`${name}=${env[name]}`)
  strings.push(null)
  return strings
}

const startErrorText = (file: string, errno: number, searchPath: string | null): string => {
  const path = file.includes('/') ? file : lookUp(file, searchPath ?? '')
  if (path === undefined && (errno === ENOENT || errno === EACCES)) {
    return `exec: "${file}": executable file not found in $PATH`
  }
  return `fork/exec ${path ?? file}: ${errnoText(errno)}`
}

/** Where posix_spawnp finds a program; only asked once a start has failed, for the message. */
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

const errnoText = (errno: number): string => getSystemErrorMessage(-errno) ?? `errno ${errno}`

const errorText = (error: unknown): string => errnoText(-((error as NodeJS.ErrnoException).errno ?? 0))
