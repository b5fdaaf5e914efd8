import type { Log } from '../../base/log.ts'
import type { LimitSupport, Processes, ProcessesOptions } from '../types.ts'
import { readCapabilities } from './capabilities.ts'
import { createJobGroups } from './cgroup/job-groups.ts'
import { openTrees } from './cgroup/trees.ts'
import { createExecutables } from './executable.ts'
import { createGuardian } from './guardian.ts'
import { createHelperStart } from './helper-start.ts'
import { createInheritance } from './inheritance.ts'
import { createJobStart } from './job-start.ts'
import { type Libc, openLibc } from './libc.ts'
import { createMark } from './mark.ts'
import { openDirectory } from './open-directory.ts'
import { createSpawner } from './posix-spawn.ts'
import { createReaper } from './reaper.ts'
import { hardestLimit, RLIMIT_FSIZE, RLIMIT_NOFILE } from './resource-limit.ts'
import { createSearch } from './search.ts'
import { createSetUp } from './set-up.ts'
import { createStartDurations, type StartDurations } from './start-durations.ts'
import { createUsage } from './usage.ts'
import { createUserDatabase } from './user-database.ts'

export interface LinuxProcessesOptions extends ProcessesOptions {
  startDurations?: StartDurations
}

/** Processes on Linux: started by posix_spawn, collected by wait4, known by their mark, guarded. */
export const createLinuxProcesses = (options: LinuxProcessesOptions = {}): Processes => {
  const { log = SILENT, groupName = 'newdt-auto', startDurations = createStartDurations() } = options
  const libc = openLibc()
  const mark = createMark(libc)
  const reaper = createReaper(libc, mark)
  const inheritance = createInheritance(libc)
  const executables = createExecutables(libc)
  const spawner = createSpawner(libc, inheritance.closeRest, executables)
  const trees = openTrees({ name: groupName, isDelegated: isDelegatedBy(libc) })
  const groups = createJobGroups(trees)
  const guardian = createGuardian({ libc, mark, reaper, spawner, log, groupBases: groups.bases() })
  const { members } = groups
  const search = createSearch({ mark, reaper, members, pageBytes: libc.getpagesize() })
  const userDatabase = createUserDatabase()
  const isInstalled = (name: string): boolean => executables.locate(name).includes('/')
  const capabilities = readCapabilities()
  const withoutSetpriv = isInstalled('setpriv')
    ? undefined
    : 'the program setpriv (of util-linux) is not installed'
  const setUp = createSetUp({
    executables,
    inherited: withoutSetpriv === undefined ? capabilities.inheritedForUsers() : [],
  })
  const jobStart = createJobStart({
    libc,
    mark,
    reaper,
    guardian,
    inheritance,
    spawner,
    setUp,
    groups,
    startDurations,
  })
  const by = (tool: 'prlimit' | 'nice', most?: number) =>
    isInstalled(tool)
      ? { by: tool, ...(most !== undefined && { most }) }
      : { missing: `the program ${tool} is not installed` }
  const hardest = (resource: number): number | undefined => hardestLimit(libc, resource, capabilities)
  const support: LimitSupport = {
    ...trees.support,
    openFiles: by('prlimit', hardest(RLIMIT_NOFILE)),
    fileSize: by('prlimit', hardest(RLIMIT_FSIZE)),
    nice: by('nice'),
  }
  // Node waits for the threads of its pool.
  const leaveThreads = (): void => void process.once('exit', code => libc._exit(code))
  return {
    newMark: mark.newMark,
    openDirectory,
    start: jobStart.start,
    startHelper: createHelperStart({ libc, mark, reaper, spawner }),
    leaveThreads,
    unguard(jobMark) {
      guardian.unprotect(jobMark)
      groups.release(jobMark)
    },
    find: search.find,
    mayHaveLeft: ({ marks }) => reaper.mayHoldOrphan(marks) || groups.members(marks).length > 0,
    signal: search.signal,
    killAtOnce: ({ marks }) => groups.kill(marks),
    guardian: guardian.state,
    findAccount: userDatabase.find,
    userSupport() {
      const missing = capabilities.missingForUsers()
      return missing.length > 0
        ? `the agent may not change users (it lacks ${missing.join(', ')})`
        : withoutSetpriv
    },
    noNewPrivilegesSupport: () => withoutSetpriv,
    needsSetUp: spec => groups.areNeeded(spec.limits) || setUp.isNeeded(spec),
    limitSupport: () => support,
    limitAllJobs: groups.limitAll,
    usage: createUsage({ groups, find: search.find }),
    wasOutOfMemory: ({ marks }) => [...marks].some(groups.wasOutOfMemory),
    close() {
      guardian.close()
      reaper.close()
      jobStart.close()
      inheritance.close()
      spawner.close()
      groups.close()
      // A call into a user database that does not answer never ends.
      if (userDatabase.isAsking()) leaveThreads()
    },
  }
}

/** Whether systemd has marked a group as left to its unit; since version 251 anybody may read the mark. */
const isDelegatedBy =
  (libc: Libc) =>
  (directory: string): boolean =>
    ['user.delegate', 'trusted.delegate'].some(name => {
      const value = Buffer.alloc(8)
      const length = libc.getxattr(directory, name, value, value.length)
      return length > 0 && value.toString('latin1', 0, length) === '1'
    })

const SILENT: Log = { info() {}, warn() {}, error() {} }
