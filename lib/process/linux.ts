import { openLibc } from './libc.ts'
import { createMark } from './mark.ts'
import { createPosixSpawn } from './posix-spawn.ts'
import { createReaper } from './reaper.ts'
import type { Processes } from './spawn.ts'

/** Processes on Linux: started by posix_spawn, collected by wait4, known by their mark. */
export const createLinuxProcesses = (): Processes => {
  const libc = openLibc()
  const mark = createMark(libc)
  return {
    newMark: mark.newMark,
    start: createPosixSpawn(libc, mark, createReaper(libc)),
    find: mark.find,
    signal: mark.signal,
  }
}
