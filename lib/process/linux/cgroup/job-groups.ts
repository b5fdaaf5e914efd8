import { existsSync, rmdirSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NO_USAGE, StartError, type Usage } from '../../types.ts'
import { groupsIn, processesOf } from './group.ts'
import type { GroupLimits } from './group-files.ts'
import { readIoSchedulers, weightFile, weightText } from './io-weight.ts'
import { isLimited, only, type Tree, type Trees } from './trees.ts'

/** The groups of a running job, one in each tree. */
interface GroupsOfJob {
  directories: { tree: Tree; path: string }[]
  /** Called once, when a process was killed for want of memory and the others were not. */
  onOutOfMemory?: (() => void) | undefined
}

/**
 * Control groups of jobs, by mark: made before the start, removed when the last process is gone. What an earlier agent
 * has left in the same place is removed as soon as it is empty.
 */
export const createJobGroups = ({ trees, open }: Trees) => {
  /** For all jobs together; if there is any, each job has a group. */
  let all: GroupLimits = {}
  const groups = new Map<number, GroupsOfJob>()
  /** Groups of ended jobs in which a process may still live. */
  const left = new Set<string>()
  let watch: NodeJS.Timeout | undefined
  let sweep: NodeJS.Timeout | undefined

  const pathIn = ({ base }: Tree, mark: number): string => join(base, groupName(mark))

  /** The groups with these marks that are, or may be, there. */
  const pathsOf = (marks: ReadonlySet<number>): string[] =>
    groups.size === 0 && left.size === 0
      ? []
      : [...marks].flatMap(mark =>
          trees.map(tree => pathIn(tree, mark)).filter(path => groups.has(mark) || left.has(path)),
        )

  const removeEmpty = async (): Promise<void> => {
    for (const path of [...left]) if (await tryToRemove(path)) left.delete(path)
    if (left.size === 0) {
      clearInterval(sweep)
      sweep = undefined
    }
  }

  /** Those that are empty go now, the others when they are. */
  const remove = async (paths: string[]): Promise<void> => {
    for (const path of paths) left.add(path)
    for (const path of paths) if (await tryToRemove(path)) left.delete(path)
    if (left.size > 0) sweep ??= setInterval(removeEmpty, SWEEP_MS).unref()
  }

  const configure = async ({ files, limits, version }: Tree, path: string, asked: GroupLimits) => {
    const wanted = only(asked, limits)
    // In version 1 a group may not have more than the one above it; it would not get more anyway.
    const cpus =
      version === 1 && all.cpus !== undefined && wanted.cpus !== undefined
        ? Math.min(wanted.cpus, all.cpus)
        : wanted.cpus
    for (const { file, value, optional } of files.settings({ ...wanted, cpus })) {
      const target = join(path, file)
      if (optional && !existsSync(target)) continue
      await writeFile(target, value)
    }
    const weighs = wanted.ioWeight === undefined ? undefined : weightFile(path, readIoSchedulers())
    if (weighs) await writeFile(join(path, weighs), weightText(weighs, wanted.ioWeight!))
  }

  const release = (mark: number): void => {
    const job = groups.get(mark)
    if (!job) return
    groups.delete(mark)
    if (groups.size === 0) {
      clearInterval(watch)
      watch = undefined
    }
    void remove(job.directories.map(({ path }) => path))
  }

  const watchMemory = (): void => {
    for (const job of groups.values()) {
      if (!job.onOutOfMemory || countOutOfMemory(job) === 0) continue
      const tell = job.onOutOfMemory
      job.onOutOfMemory = undefined
      tell()
    }
  }

  const isWatched = (tree: Tree, asked: GroupLimits): boolean =>
    tree.version === 1 && tree.limits.has('memory') && (asked.memory ?? all.memory) !== undefined

  for (const tree of trees) {
    const leftByEarlier = groupsIn(tree.base).filter(isGroupName)
    void remove(leftByEarlier.map(name => join(tree.base, name)))
  }

  return {
    /**
     * Holds all jobs together within limits, or, with none, takes back those of an earlier agent. To be called before the
     * first job. Throws an Error that says what is in the way.
     */
    limitAll(limits: GroupLimits): void {
      all = limits
      for (const tree of trees) {
        if (!isLimited(all) && !existsSync(tree.base)) continue
        try {
          open(tree, all)
        } catch (error) {
          const living = groupsIn(tree.base).flatMap(name => membersOf(join(tree.base, name)))
          const who =
            living.length === 0 ? '' : `; processes of earlier jobs live in it: ${living.join(', ')}`
          throw new Error(`${(error as Error).message}${who}`)
        }
      }
    },

    /** Whether a job with these limits has groups. */
    areNeeded: (limits: GroupLimits = {}): boolean => isLimited(limits) || isLimited(all),

    /**
     * Makes the groups of a job; resolves with the files that a process writes 0 to in order to be in them. Rejects with
     * StartError. `onOutOfMemory` as in StartSpec.
     */
    async create(mark: number, limits: GroupLimits, onOutOfMemory?: () => void): Promise<string[]> {
      const directories = trees.map(tree => ({ tree, path: pathIn(tree, mark) }))
      const job: GroupsOfJob = { directories }
      groups.set(mark, job)
      try {
        for (const { tree, path } of directories) {
          await mkdir(path).catch((error: NodeJS.ErrnoException) => {
            if (error.code !== 'ENOENT') throw error
            open(tree, all)
            return mkdir(path)
          })
          await configure(tree, path, limits)
        }
      } catch (error) {
        release(mark)
        throw new StartError(`cgroup: ${(error as Error).message}`)
      }
      if (onOutOfMemory && trees.some(tree => isWatched(tree, limits))) {
        job.onOutOfMemory = onOutOfMemory
        watch ??= setInterval(watchMemory, WATCH_MS).unref()
      }
      return directories.map(({ path }) => join(path, 'cgroup.procs'))
    },

    /** The pids of all that is in the groups with these marks, of an earlier agent's too. */
    members(marks: ReadonlySet<number>): number[] {
      // Each tree has the same processes, but for what a job that is root has moved.
      const pids = new Set<number>()
      for (const path of pathsOf(marks)) for (const pid of membersOf(path)) pids.add(pid)
      return [...pids]
    },

    /** Has the kernel kill all that is in the groups at once, where it can (version 2, Linux 5.14). */
    async kill(marks: ReadonlySet<number>): Promise<void> {
      for (const path of pathsOf(marks)) {
        const file = join(path, 'cgroup.kill')
        if (existsSync(file)) await writeFile(file, '1').catch(() => {})
      }
    },

    /** What was used in the groups of a job; undefined when it has none. */
    usage(mark: number): Usage | undefined {
      const job = groups.get(mark)
      if (!job) return undefined
      const usage: Usage = { ...NO_USAGE }
      for (const { tree, path } of job.directories) {
        const found = tree.files.readUsage(path)
        for (const name of USAGE_NAMES) usage[name] ??= found[name]
      }
      return usage
    },

    wasOutOfMemory(mark: number): boolean {
      const job = groups.get(mark)
      return job !== undefined && countOutOfMemory(job) > 0
    },

    /** The job has ended. */
    release,

    /** Where the groups of jobs are, for whoever looks when the agent is gone. */
    bases: (): string[] => trees.map(({ base }) => base),

    /** What is not empty stays for the next agent. */
    close(): void {
      clearInterval(watch)
      clearInterval(sweep)
      for (const path of left) removeNow(path)
      for (const { base, version } of trees) if (version === 1) removeNow(base)
    },
  }
}

export type JobGroups = ReturnType<typeof createJobGroups>

const groupName = (mark: number): string => `job-${mark}`
const isGroupName = (name: string): boolean => /^job-\d{16}$/.test(name)

const countOutOfMemory = ({ directories }: GroupsOfJob): number =>
  directories.reduce(
    (most, { tree, path }) =>
      tree.limits.has('memory') ? Math.max(most, tree.files.countOutOfMemory(path)) : most,
    0,
  )

/** A job that is root may have made groups below its own. */
const membersOf = (path: string): number[] => [
  ...processesOf(path),
  ...groupsIn(path).flatMap(name => membersOf(join(path, name))),
]

/** False when a process lives in it. */
const tryToRemove = async (path: string): Promise<boolean> => {
  for (const name of groupsIn(path)) await tryToRemove(join(path, name))
  return rmdir(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  )
}

const removeNow = (path: string): void => {
  for (const name of groupsIn(path)) removeNow(join(path, name))
  try {
    rmdirSync(path)
  } catch {}
}

const USAGE_NAMES = Object.keys(NO_USAGE) as (keyof Usage)[]

/** How long a job may live on after the kernel has killed one of its processes, in version 1, which kills no more. */
const WATCH_MS = 250
/** How often it is tried to remove what was left by jobs whose processes live on. */
const SWEEP_MS = 5000
