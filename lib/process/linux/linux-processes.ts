import type { Log } from '../../base/log.ts'
import type { Processes } from '../types.ts'
import { createGuardian } from './guardian.ts'
import { createInheritance } from './inheritance.ts'
import { createJobStart } from './job-start.ts'
import { openLibc } from './libc.ts'
import { createMark } from './mark.ts'
import { openDirectory } from './open-directory.ts'
import { createSpawner } from './posix-spawn.ts'
import { createReaper } from './reaper.ts'
import { createSearch } from './search.ts'

/** Processes on Linux: started by posix_spawn, collected by wait4, known by their mark, guarded. */
export const createLinuxProcesses = (log: Log = SILENT): Processes => {
  const libc = openLibc()
  const mark = createMark(libc)
  const reaper = createReaper(libc, mark)
  const inheritance = createInheritance(libc)
  const spawner = createSpawner(libc, inheritance.closeRest)
  const guardian = createGuardian({ libc, mark, reaper, spawner, log })
  const search = createSearch(mark, reaper, libc.getpagesize())
  const jobStart = createJobStart({ libc, mark, reaper, guardian, inheritance, spawner })
  return {
    newMark: mark.newMark,
    openDirectory,
    start: jobStart.start,
    unguard: guardian.unprotect,
    find: search.find,
    mayHaveLeft: ({ marks }) => reaper.mayHoldOrphan(marks),
    signal: search.signal,
    guardian: guardian.state,
    close() {
      guardian.close()
      reaper.close()
      jobStart.close()
      inheritance.close()
      spawner.close()
    },
  }
}

const SILENT: Log = { info() {}, warn() {}, error() {} }
