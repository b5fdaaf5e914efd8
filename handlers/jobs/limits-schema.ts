import { z } from 'zod'
import { LIMIT_RANGES, limitText } from '../../lib/jobs/limits.ts'
import type { LimitName } from '../../lib/process/types.ts'
import { message } from '../http/text.ts'
import { sizeInBytes } from './size-schema.ts'

/** What is wrong with a limit, in both languages. */
const notInRange = (name: LimitName): string => {
  const { kind, least, most } = LIMIT_RANGES[name]
  const [from, to] = [limitText(name, least), limitText(name, most)]
  const [zh, en] = KINDS[kind]
  return message(`应为 ${from} 到 ${to} 的${zh}`, `must be ${en} from ${from} to ${to}`)
}

const KINDS = {
  bytes: ['字节数或大小，例如 "512mb"', 'a number of bytes, or a size such as "512mb",'],
  whole: ['整数', 'a whole number'],
  number: ['数字', 'a number'],
} as const

const size = (name: 'memory' | 'fileSize') =>
  sizeInBytes(LIMIT_RANGES[name].least, notInRange(name), LIMIT_RANGES[name].most)

const whole = (name: LimitName) => {
  const error = notInRange(name)
  return z.int(error).min(LIMIT_RANGES[name].least, error).max(LIMIT_RANGES[name].most, error)
}

const cpus = z
  .number(notInRange('cpus'))
  .min(LIMIT_RANGES.cpus.least, notInRange('cpus'))
  .max(LIMIT_RANGES.cpus.most, notInRange('cpus'))

/** What a job may use at most. */
export const limitsSchema = z
  .strictObject({
    memory: size('memory')
      .meta({ description: 'Of all its processes together, swap included; it is killed beyond that.' })
      .optional(),
    cpus: cpus.meta({ description: 'Processors, all the time: 1.5 is one and a half.' }).optional(),
    processes: whole('processes').meta({ description: 'How many at a time, threads included.' }).optional(),
    ioWeight: whole('ioWeight')
      .meta({ description: 'Its share of the disks where others want them too; 100 is what others have.' })
      .optional(),
    openFiles: whole('openFiles').meta({ description: 'Descriptors of each process.' }).optional(),
    fileSize: size('fileSize').meta({ description: 'Of each file that it writes.' }).optional(),
    nice: whole('nice').meta({ description: 'How far others go first, as of nice(1).' }).optional(),
  })
  .meta({
    description: "What it may use; what is absent is as the agent's settings have it.",
    examples: [{ memory: '512mb', cpus: 1.5, processes: 200 }],
  })
