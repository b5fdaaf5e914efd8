import { failure } from '../base/errors.ts'
import { parseSize, sizeText } from '../base/size.ts'
import { LIMIT_NAMES, type LimitName, type LimitSupport, type Limits } from '../process/types.ts'
import { NO_LIMITS } from './job.ts'

/** What a limit may be. */
export interface LimitRange {
  kind: 'bytes' | 'whole' | 'number'
  least: number
  most: number
}

/** The smallest numbers are those that bash still runs with. */
export const LIMIT_RANGES: Record<LimitName, LimitRange> = {
  memory: { kind: 'bytes', least: 4 * 1024 ** 2, most: 1024 ** 5 },
  cpus: { kind: 'number', least: 0.01, most: 1024 },
  processes: { kind: 'whole', least: 1, most: 4_194_304 },
  ioWeight: { kind: 'whole', least: 1, most: 10_000 },
  openFiles: { kind: 'whole', least: 16, most: 1_048_576 },
  fileSize: { kind: 'bytes', least: 1, most: 1024 ** 5 },
  nice: { kind: 'whole', least: 0, most: 19 },
}

/** A limit's value as people write it: `512mb`, `1.5`. */
export const limitText = (name: LimitName, value: number): string =>
  LIMIT_RANGES[name].kind === 'bytes' ? sizeText(value) : String(value)

/** What a limit may be, in words. */
export const rangeText = (name: LimitName): string => {
  const { kind, least, most } = LIMIT_RANGES[name]
  return `${KINDS[kind]} from ${limitText(name, least)} to ${limitText(name, most)}`
}

const KINDS = { bytes: 'a size', whole: 'a whole number', number: 'a number' }

/** Whether a number is one that the limit may be. */
export const isInRange = (name: LimitName, value: number): boolean => {
  const { kind, least, most } = LIMIT_RANGES[name]
  return value >= least && value <= most && (kind === 'number' || Number.isInteger(value))
}

/** The value of a limit that is written as text; undefined for what it may not be. */
export const parseLimit = (name: LimitName, text: string): number | undefined => {
  const value = LIMIT_RANGES[name].kind === 'bytes' ? parseSize(text) : parseNumber(text)
  return value !== undefined && isInRange(name, value) ? value : undefined
}

const parseNumber = (text: string): number | undefined =>
  /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined

/** `memory=512mb,cpus=1.5` as limits. Throws an Error that says what is wrong. */
export const parseLimits = (text: string, names: readonly LimitName[] = LIMIT_NAMES): Limits => {
  const limits: Limits = {}
  for (const item of text.split(',')) {
    const [, given = '', value = ''] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(item) ?? []
    const name = names.find(one => one === given)
    if (name === undefined)
      throw new Error(`must be such as memory=512mb,cpus=1.5; the names are ${names.join(', ')}`)
    if (limits[name] !== undefined) throw new Error(`has ${name} twice`)
    limits[name] = parseLimit(name, value)
    if (limits[name] === undefined) throw new Error(`${name} must be ${rangeText(name)}`)
  }
  return limits
}

export interface LimitRules {
  /** Of jobs that ask for none. */
  defaults: Limits
  /** What a job may ask for at most, and what it has where there is neither that nor a default. */
  most: Limits
}

/** What a job runs within, by what it asks for. Throws AgentError limit-too-high, limit-unsupported. */
export const createLimits =
  (rules: LimitRules, { limitSupport }: { limitSupport(): LimitSupport }) =>
  (asked: Limits | undefined): Limits => {
    const limits = effectiveLimits(asked, rules)
    assertSupported(limits, limitSupport)
    return limits
  }

/** Throws AgentError limit-too-high. */
export const effectiveLimits = (asked: Limits = NO_LIMITS, { defaults, most }: LimitRules): Limits => {
  if (asked === NO_LIMITS && defaults === NO_LIMITS && most === NO_LIMITS) return NO_LIMITS
  const limits: Limits = {}
  for (const name of LIMIT_NAMES) {
    const value = asked[name] ?? defaults[name] ?? most[name]
    if (value === undefined) continue
    if (value > (most[name] ?? value)) {
      throw failure('limit-too-high', { field: `limits.${name}`, most: limitText(name, most[name] ?? value) })
    }
    limits[name] = value
  }
  return hasLimits(limits) ? limits : NO_LIMITS
}

export const hasLimits = (limits: Limits): boolean => limits !== NO_LIMITS && Object.keys(limits).length > 0

/** Throws AgentError limit-unsupported for one that this machine cannot keep. */
export const assertSupported = (limits: Limits, support: () => LimitSupport): void => {
  if (!hasLimits(limits)) return
  const known = support()
  for (const name of LIMIT_NAMES) {
    const keeper = known[name]
    const value = limits[name]
    if (value === undefined) continue
    const field = `limits.${name}`
    if ('missing' in keeper) throw failure('limit-unsupported', { field, missing: keeper.missing })
    if (value > (keeper.most ?? value))
      throw failure('limit-too-high', { field, most: limitText(name, keeper.most ?? value) })
  }
}

/** For `noNewPrivileges`; `missing` is what this machine lacks for it. Throws AgentError limit-unsupported. */
export const assertPrivilegesStay = (missing: string | undefined): void => {
  if (missing !== undefined) throw failure('limit-unsupported', { field: 'noNewPrivileges', missing })
}
