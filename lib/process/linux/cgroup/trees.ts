import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LimitSupport } from '../../types.ts'
import { readText } from '../read-text.ts'
import { groupsIn, writeTo } from './group.ts'
import {
  GROUP_LIMITS,
  type GroupFiles,
  type GroupLimit,
  type GroupLimits,
  readNumber,
  type Setting,
} from './group-files.ts'
import { type Hierarchy, isWritable, readHierarchies } from './hierarchies.ts'
import { readIoSchedulers, weightFile } from './io-weight.ts'
import { divide, enableAll, whyUnusable } from './own-group.ts'
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
  /** Tells the agent's jobs from those of another one in the same group; only in version 1 two may share one. */
  name: string
  /** Whether systemd has left the group to the agent. */
  isDelegated(directory: string): boolean
  hierarchies?: Hierarchy[]
}

/**
 * Finds the trees that the agent may make groups in, one for each limit, and makes ready what must be ready before any job
 * runs: in version 2 a group that has groups below it may have no process itself, so the agent moves out of its own.
 */
export const openTrees = ({ name, isDelegated, hierarchies = readHierarchies() }: TreesOptions) => {
  const support = {} as Pick<LimitSupport, GroupLimit>
  const trees: Tree[] = []

  // Beside version 1 there may be one of version 2 with nothing in it that is of use here.
  const second = hierarchies.find(
    ({ version, controllers }) =>
      version === 2 && Object.values(CONTROLLERS_2).some(name => controllers.has(name)),
  )
  const base2 = join(second?.directory ?? '', 'jobs')
  const refusal = second && (whyUnusable(second, isDelegated) ?? divide(second, base2))
  const isUsable = second !== undefined && refusal === undefined
  if (isUsable) {
    const limits = new Set(GROUP_LIMITS.filter(limit => isKept(VERSION_2, base2, limit)))
    trees.push({ version: 2, files: VERSION_2, base: base2, limits })
  }
  const isDone = (limit: GroupLimit) => trees.some(({ limits }) => limits.has(limit))
  for (const hierarchy of hierarchies) {
    if (hierarchy.version === 2 || !isWritable(hierarchy.directory)) continue
    const wanted = GROUP_LIMITS.filter(
      limit => !isDone(limit) && hierarchy.controllers.has(CONTROLLERS_1[limit]),
    )
    // Without a limit of their own they say what a job has used: of the processors, of the disks.
    const counts = ['cpuacct', 'blkio'].some(name => hierarchy.controllers.has(name))
    if (wanted.length === 0 && (!counts || isUsable)) continue
    const base = join(hierarchy.directory, name)
    const limits = new Set(probe(base, () => wanted.filter(limit => isKept(VERSION_1, base, limit))))
    if (limits.size > 0 || counts) trees.push({ version: 1, files: VERSION_1, base, limits })
  }

  for (const limit of GROUP_LIMITS) {
    const tree = trees.find(({ limits }) => limits.has(limit))
    support[limit] = tree
      ? tree.version === 2
        ? { by: 'cgroup-v2' }
        : { by: 'cgroup-v1', most: limit === 'cpus' ? mostCpus(tree.base) : undefined }
      : { missing: whyMissing(limit, hierarchies, refusal) }
  }

  /**
   * Makes the directory that the groups of jobs are in, with the limits for all of them. Throws the system's error, EBUSY
   * when what lives in it uses more than that.
   */
  const open = ({ version, base, files, limits }: Tree, all: GroupLimits): void => {
    mkdirSync(base, { recursive: true })
    if (version === 2 && second) enableAll(base, second.controllers)
    // In version 1 no group may have more of the processors than the one above; those that are there are of earlier jobs.
    if (version === 1 && all.cpus !== undefined && limits.has('cpus'))
      for (const group of groupsIn(base)) writeTo(join(base, group), 'cpu.cfs_quota_us', '-1')
    // An agent that was killed may have left other ones.
    apply(base, files.unlimited)
    // Of old; otherwise the groups below would not count.
    if (readText(join(base, 'memory.use_hierarchy')).trim() === '0')
      writeTo(base, 'memory.use_hierarchy', '1')
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

const apply = (group: string, settings: Setting[]): void => {
  for (const { file, value, optional } of settings) {
    if (!optional || existsSync(join(group, file))) writeTo(group, file, value)
  }
}

const isKept = (files: GroupFiles, base: string, limit: GroupLimit): boolean =>
  limit === 'ioWeight'
    ? weightFile(base, readIoSchedulers()) !== undefined
    : existsSync(join(base, files.fileOf[limit]))

/** The smallest quota of the groups above, which no group below may have more than in version 1. */
const mostCpus = (base: string): number | undefined => {
  let most: number | undefined
  for (let group = dirname(base); existsSync(join(group, 'cpu.cfs_quota_us')); group = dirname(group)) {
    const quota = readNumber(join(group, 'cpu.cfs_quota_us')) // -1, no quota, is no number.
    const period = readNumber(join(group, 'cpu.cfs_period_us'))
    if (quota && period) most = Math.min(most ?? quota / period, quota / period)
  }
  // A whole number of hundredths, so that the kernel takes what it is made into again.
  return most === undefined ? undefined : Math.floor(most * 100) / 100
}

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
