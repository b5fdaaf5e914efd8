import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import type { Libc } from './libc.ts'
import { programOf, readLiving, readSoftLimit } from './proc.ts'
import { createSoftLimit, RLIMIT_NOFILE } from './resource-limit.ts'

/**
 * What a job inherits from the agent and should not have as it is: the limit on open files, which Node has raised;
 * descriptors that whoever started the agent left open; an OOM score no higher than the agent's own; and the umask,
 * which is the agent's own business: all its files are for its account alone.
 */
export const createInheritance = (libc: Libc) => {
  const openFiles = createSoftLimit(libc, RLIMIT_NOFILE)
  const softAtStart = openFilesBeforeNode()
  const limitsFiles = softAtStart !== undefined && softAtStart < openFiles.soft
  const oomScore = openOomScore()
  const umask = process.umask(OWN_UMASK)
  const stray = libc.posix_spawn_file_actions_addclosefrom_np ? [] : strayDescriptors()

  return {
    /**
     * Changes the agent's own limit and score and umask to what a child is to inherit, until the function that is returned
     * is called: that costs no race and no shell.
     */
    give(): () => void {
      if (limitsFiles) openFiles.set(softAtStart)
      oomScore?.raise()
      process.umask(umask)
      return () => {
        process.umask(OWN_UMASK)
        oomScore?.restore()
        if (limitsFiles) openFiles.restore()
      }
    },

    /** Whether the agent, whose descriptors go up to `fd`, can live with the child's limit for a while. */
    leavesRoomAbove: (fd: number): boolean => !limitsFiles || BigInt(fd + ROOM) < softAtStart,

    /** Has the child close everything but its descriptors below `from`. */
    closeRest(actions: Buffer, from: number): void {
      libc.posix_spawn_file_actions_addclosefrom_np?.(actions, from)
      for (const fd of stray) if (fd >= from) libc.posix_spawn_file_actions_addclose(actions, fd)
    },

    close(): void {
      process.umask(umask)
      oomScore?.close()
    },
  }
}

export type Inheritance = ReturnType<typeof createInheritance>

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

/**
 * The agent's own score, proc_pid_oom_score_adj(5): raised for the moment of a start, so that the kernel, when it
 * runs out of memory, takes a job first. Anybody may raise it, and lower it again to where it was.
 */
const openOomScore = () => {
  try {
    const own = readFileSync(OOM_SCORE, 'latin1').trim()
    const raised = String(Math.min(Number(own) + JOB_OOM_SCORE, HIGHEST_OOM_SCORE))
    const fd = openSync(OOM_SCORE, 'w')
    writeSync(fd, own, 0) // Where even that is forbidden, jobs have the agent's score.
    return {
      raise: () => writeSync(fd, raised, 0),
      restore: () => writeSync(fd, own, 0),
      close: () => closeSync(fd),
    }
  } catch {
    return undefined
  }
}

const OWN_UMASK = 0o077
const OOM_SCORE = '/proc/self/oom_score_adj'
const JOB_OOM_SCORE = 300
const HIGHEST_OOM_SCORE = 1000

/** How many descriptors may be opened within the millisecond that a start takes. */
const ROOM = 256

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
