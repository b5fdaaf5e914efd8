import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LimitSupport } from '../../types.ts'
import { readLiving } from '../proc.ts'
import {
  type Controller,
  type Hierarchy,
  isWritable,
  readHierarchies,
  readText,
  words,
} from './hierarchies.ts'
import { readIoSchedulers, weightFile } from './io-weight.ts'
import { GROUP_LIMITS, type GroupFiles, type GroupLimit, type GroupLimits, type Setting } from './tree.ts'
import { VERSION_1 } from './version-1.ts'
import { VERSION_2 } from './version-2.ts'

/** A tree in which jobs have groups. */
export interface Tree {
  version: 1 | 2
  files: GroupFiles
  /** The directory that the groups of jobs are in; with `open`, it is there. */
  base: string
  /** Which of the limits are kept here, and not in another tree. */
  limits: ReadonlySet<GroupLimit>
}

export interface TreesOptions {
  /** The agent's own, among those that may share its group. */
  name: string
  /** For all jobs together. */
  all: GroupLimits
  /** Whether systemd has left the group to the agent. */
  isDelegated(directory: string): boolean
}

/**
 * Finds the trees that the agent may make groups in, one for each limit, and makes ready what must be ready before any job
 * runs: in version 2 a group that has groups below it may have no process itself, so the agent moves out of its own.
 */
export const openTrees = ({ name, all, isDelegated }: TreesOptions) => {
  const hierarchies = readHierarchies()
  const support = {} as Pick<LimitSupport, GroupLimit>
  const trees: Tree[] = []

  const second = hierarchies.find(({ version, controllers }) => version === 2 && controllers.size > 0)
  const refusal = second && (whyUnusable(second, isDelegated) ?? prepareOwn(second))
  const isUsable = second !== undefined && refusal === undefined
  if (isUsable) {
    const base = join(second.directory, 'jobs')
    const limits = new Set(GROUP_LIMITS.filter(limit => isKept(VERSION_2, base, limit)))
    trees.push({ version: 2, files: VERSION_2, base, limits })
  }
  const isDone = (limit: GroupLimit) => trees.some(({ limits }) => limits.has(limit))
  for (const hierarchy of hierarchies) {
    if (hierarchy.version === 2 || !isWritable(hierarchy.directory)) continue
    const wanted = GROUP_LIMITS.filter(
      limit => !isDone(limit) && hierarchy.controllers.has(CONTROLLERS_1[limit]),
    )
    // It says what a job has used of the processors; `cpu` alone does not.
    if (wanted.length === 0 && (!hierarchy.controllers.has('cpuacct') || isUsable)) continue
    const base = join(hierarchy.directory, name)
    const limits = new Set(probe(base, () => wanted.filter(limit => isKept(VERSION_1, base, limit))))
    if (limits.size > 0 || wanted.length === 0) trees.push({ version: 1, files: VERSION_1, base, limits })
  }

  for (const limit of GROUP_LIMITS) {
    const tree = trees.find(({ limits }) => limits.has(limit))
    support[limit] = tree
      ? { by: tree.version === 2 ? 'cgroup-v2' : 'cgroup-v1' }
      : { missing: whyMissing(limit, hierarchies, refusal) }
  }

  /** Makes the directory that the groups of jobs are in, with the limits for all of them; for once. */
  const open = ({ base, files, limits }: Tree): void => {
    mkdirSync(base, { recursive: true })
    // An agent that was killed may have left other ones.
    apply(base, files.unlimited)
    // Of old; otherwise the groups below would not count.
    if (readText(join(base, 'memory.use_hierarchy')).trim() === '0') write(base, 'memory.use_hierarchy', '1')
    // All of them are not to die as one.
    apply(
      base,
      files.settings(only(all, limits)).filter(({ file }) => file !== 'memory.oom.group'),
    )
  }

  return { trees, support, open }
}

export type Trees = ReturnType<typeof openTrees>

/** Those of the limits that are among the names. */
export const only = (limits: GroupLimits, names: ReadonlySet<GroupLimit>): GroupLimits =>
  Object.fromEntries(GROUP_LIMITS.filter(name => names.has(name)).map(name => [name, limits[name]]))

export const isLimited = (limits: GroupLimits): boolean =>
  GROUP_LIMITS.some(name => limits[name] !== undefined)

const write = (group: string, file: string, value: string): void => writeFileSync(join(group, file), value)

const apply = (group: string, settings: Setting[]): void => {
  for (const { file, value, optional } of settings) {
    if (!optional || existsSync(join(group, file))) write(group, file, value)
  }
}

/** Why the agent may not divide its group of version 2; undefined when it may. */
const whyUnusable = (
  { directory }: Hierarchy,
  isDelegated: TreesOptions['isDelegated'],
): string | undefined => {
  if (!isWritable(join(directory, 'cgroup.subtree_control')))
    return `the agent may not write to its cgroup ${directory} (under systemd its unit needs Delegate=yes)`
  if (!existsSync('/run/systemd/system')) {
    return processesOf(directory).every(isOurs)
      ? undefined
      : `other processes are in the agent's cgroup ${directory}`
  }
  if (isDelegated(directory)) return undefined
  // A systemd before 251 marks it only for root; but then the group is nobody else's.
  if (process.getuid?.() !== 0 && processesOf(directory).every(pid => isAncestor(process.pid, pid)))
    return undefined
  return `systemd has not left the cgroup ${directory} to the agent: its unit needs Delegate=yes`
}

/** Moves the agent into a group below, and opens the rest of its own for groups of jobs; undefined, or what failed. */
const prepareOwn = ({ directory, controllers }: Hierarchy): string | undefined => {
  try {
    // The group of the whole machine has no type, and may have both processes and groups.
    if (existsSync(join(directory, 'cgroup.type'))) {
      const agent = join(directory, 'agent')
      mkdirSync(agent, { recursive: true })
      for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
        const found = processesOf(directory)
        if (found.length === 0) break
        for (const pid of found) moveTo(agent, pid)
      }
    }
    const jobs = join(directory, 'jobs')
    mkdirSync(jobs, { recursive: true })
    for (const group of [directory, jobs]) {
      for (const controller of ['memory', 'cpu', 'pids', 'io'] satisfies Controller[]) {
        if (controllers.has(controller)) enable(group, controller)
      }
    }
    return undefined
  } catch (error) {
    return `the agent's cgroup ${directory} cannot be divided: ${(error as Error).message}`
  }
}

/** One that cannot be enabled is a limit that cannot be kept, which isKept finds. */
const enable = (group: string, controller: Controller): void => {
  try {
    write(group, 'cgroup.subtree_control', `+${controller}`)
  } catch {}
}

const moveTo = (group: string, pid: number): void => {
  try {
    write(group, 'cgroup.procs', String(pid))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // It has ended.
  }
}

export const processesOf = (group: string): number[] =>
  [...words(readText(join(group, 'cgroup.procs')))].map(Number).filter(pid => pid > 0)

/** The agent, what has started it, and what it has started. */
const isOurs = (pid: number): boolean => isAncestor(pid, process.pid) || isAncestor(process.pid, pid)

const isAncestor = (ancestor: number, pid: number): boolean => {
  for (let at = pid; at > 0; at = readLiving(at)?.parent ?? 0) if (at === ancestor) return true
  return false
}

const isKept = (files: GroupFiles, base: string, limit: GroupLimit): boolean =>
  limit === 'ioWeight'
    ? weightFile(base, readIoSchedulers()) !== undefined
    : existsSync(join(base, files.fileOf[limit]))

/** Looks at a group that may have to be made for that. */
const probe = <T>(base: string, look: () => T[]): T[] => {
  try {
    const isNew = mkdirSync(base, { recursive: true }) !== undefined
    try {
      return look()
    } finally {
      if (isNew) rmdirSync(base)
    }
  } catch {
    return []
  }
}

/** The name of each group of a job that is there. */
export const groupsIn = (base: string): string[] => {
  try {
    return readdirSync(base, { withFileTypes: true }).flatMap(entry =>
      entry.isDirectory() ? [entry.name] : [],
    )
  } catch {
    return []
  }
}

const whyMissing = (limit: GroupLimit, hierarchies: Hierarchy[], refusal: string | undefined): string => {
  const first = hierarchies.find(
    ({ version, controllers }) => version === 1 && controllers.has(CONTROLLERS_1[limit]),
  )
  if (refusal !== undefined && !first) return refusal
  if (first && !isWritable(first.directory)) return `the agent may not write to its cgroup ${first.directory}`
  return limit === 'ioWeight'
    ? 'no disk of this system has an I/O scheduler with weights (bfq, or io.cost)'
    : `this system has no cgroup with the controller ${CONTROLLERS_2[limit]}`
}

const CONTROLLERS_2 = { memory: 'memory', cpus: 'cpu', processes: 'pids', ioWeight: 'io' } as const
const CONTROLLERS_1 = { memory: 'memory', cpus: 'cpu', processes: 'pids', ioWeight: 'blkio' } as const

/** Processes that are forked while others are moved are moved in the next round. */
const MOST_ROUNDS = 10
