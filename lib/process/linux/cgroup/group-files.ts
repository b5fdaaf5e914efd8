import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LimitName, Usage } from '../../types.ts'
import { readText } from '../read-text.ts'

/** The limits that a group keeps for all of a job's processes together. */
export type GroupLimit = Extract<LimitName, 'memory' | 'cpus' | 'processes' | 'ioWeight'>
export const GROUP_LIMITS = ['memory', 'cpus', 'processes', 'ioWeight'] as const satisfies GroupLimit[]
export type GroupLimits = { readonly [name in GroupLimit]?: number | undefined }

/** A file of a group and what is to be written to it; one that is `optional` may be missing. */
export interface Setting {
  file: string
  value: string
  optional?: boolean
}

/** How one version of control groups keeps limits and tells usage. A `group` is the path of its directory. */
export interface GroupFiles {
  /** The file of a group that is there where the limit can be kept; for ioWeight see io-weight.ts. */
  fileOf: Record<Exclude<GroupLimit, 'ioWeight'>, string>
  /** In the order in which they must be written; ioWeight is not among them. */
  settings(limits: GroupLimits): Setting[]
  /** What takes all limits back, in the order in which it must be written. */
  unlimited: Setting[]
  /** What the group tells of what was used in it. */
  readUsage(group: string): Usage
  /** How many processes of it the kernel has killed for want of memory. */
  countOutOfMemory(group: string): number
}

/** The value of a line `<key> <value>`; undefined when there is none. */
export const flatValue = (text: string, key: string): number | undefined => {
  const found = new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** A file with one number in it; null when it cannot be read, or has no number. */
export const readNumber = (path: string): number | null => {
  const text = readText(path).trim()
  return /^\d+$/.test(text) ? Number(text) : null
}

/** Microseconds of each 100 ms. */
export const quotaOf = (cpus: number): number => Math.max(1000, Math.round(cpus * CPU_PERIOD_US))
export const CPU_PERIOD_US = 100_000

export const hasFile = (group: string, file: string): boolean => existsSync(join(group, file))

/** The sum of what a pattern captures; null where the group has no such file. */
export const sumIn = (group: string, file: string, pattern: RegExp): number | null =>
  hasFile(group, file)
    ? [...readText(join(group, file)).matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0)
    : null
