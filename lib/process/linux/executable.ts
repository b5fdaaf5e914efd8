import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { EACCES, ENOENT, errnoText, type Libc } from './libc.ts'

/**
 * Where programs are found in the agent's PATH. Each is searched once: otherwise every start would pay a failed
 * execve(2) in each directory before the right one.
 */
export const createExecutables = (libc: Libc) => {
  const located = new Map<string, string>()
  let searchPath: string | null = null

  return {
    /** The path of a program; its name as it is when it is not found. */
    locate(file: string): string {
      if (libc.getenv('PATH') !== searchPath) {
        searchPath = libc.getenv('PATH')
        located.clear()
      }
      const path = located.get(file) ?? (file.includes('/') ? file : (lookUp(file, searchPath ?? '') ?? file))
      located.set(file, path)
      return path
    },

    /** Why a program could not be started, in the words of Go's os/exec. */
    startError(file: string, errno: number): string {
      const path = file.includes('/') ? file : lookUp(file, libc.getenv('PATH') ?? '')
      if (path === undefined && (errno === ENOENT || errno === EACCES)) {
        return `exec: "${file}": executable file not found in $PATH`
      }
      return `fork/exec ${path ?? file}: ${errnoText(errno)}`
    },
  }
}

export type Executables = ReturnType<typeof createExecutables>

/** Where posix_spawnp(3) finds a program. */
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
