import { readdirSync, readFileSync } from 'node:fs'
import type { Libc } from './libc.ts'
import { programOf, readLiving, readSoftLimit } from './proc.ts'
import { createSoftLimit, RLIMIT_NOFILE } from './resource-limit.ts'

/**
 * Keeps from a job what it must not inherit: the limit on open files as Node raised it, and descriptors that
 * whoever started the agent left open.
 */
export const createInheritance = (libc: Libc) => {
  const openFiles = createSoftLimit(libc, RLIMIT_NOFILE)
  const softAtStart = openFilesBeforeNode()
  const stray = libc.posix_spawn_file_actions_addclosefrom_np ? [] : strayDescriptors()

  return {
    /** Runs `start` with the limit on open files that the agent was started with. Must be synchronous. */
    during<T>(start: () => T): T {
      if (softAtStart === undefined || softAtStart >= openFiles.soft) return start()
      openFiles.set(softAtStart)
      try {
        return start()
      } finally {
        openFiles.restore()
      }
    },

    /** Has the child close everything but its three standard descriptors. */
    closeRest(actions: Buffer): void {
      libc.posix_spawn_file_actions_addclosefrom_np?.(actions, 3)
      for (const fd of stray) libc.posix_spawn_file_actions_addclose(actions, fd)
    },
  }
}

/**
 * Node raises its soft limit before any of our code runs, and keeps no record. So does npm. Whoever started
 * them still has the limit. Undefined when that is the init process, whose own limit tells nothing of ours.
 */
const openFilesBeforeNode = (): bigint | undefined => {
  for (let pid = process.ppid; pid > 1; pid = readLiving(pid)?.parent ?? 0) {
    if (programOf(pid) === 'node') continue
    const soft = readSoftLimit(pid, 'Max open files')
    return soft === undefined ? undefined : BigInt(soft)
  }
  return undefined
}

/** Descriptors without FD_CLOEXEC; Node sets it on all of its own. For glibc before 2.34. */
const strayDescriptors = (): number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter(fd => {
      if (fd < 3) return false
      try {
        const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
        return flags !== undefined && (Number.parseInt(flags, 8) & 0o2000000) === 0
      } catch {
        return false // The one that listed the directory.
      }
    })
