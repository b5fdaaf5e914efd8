import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { readText } from '../read-text.ts'

/** What gives each group its share of the disks; without one of them, a group's weight is a number without effect. */
export interface IoSchedulers {
  bfq: boolean
  /** Of kernels before 5.0. */
  cfq: boolean
  /** The weights of io.cost, which somebody must have turned on for a disk. */
  cost: boolean
}

export const readIoSchedulers = (): IoSchedulers => {
  const inUse = globSync('/sys/block/*/queue/scheduler').map(readText).join('\n')
  return {
    bfq: inUse.includes('[bfq]'),
    cfq: inUse.includes('[cfq]'),
    cost: /\benable=1\b/.test(readText('/sys/fs/cgroup/io.cost.qos')),
  }
}

/** The file of a group that sets its weight; undefined when none does anything here. */
export const weightFile = (group: string, { bfq, cfq, cost }: IoSchedulers): string | undefined => {
  const files = [
    ...(bfq ? ['io.bfq.weight', 'blkio.bfq.weight'] : []),
    ...(cost ? ['io.weight'] : []),
    ...(cfq ? ['blkio.weight'] : []),
  ]
  return files.find(file => existsSync(join(group, file)))
}

/** As the file takes it, of 1 to 10000 with 100 in the middle. */
export const weightText = (file: string, weight: number): string => {
  if (file === 'io.weight') return `default ${weight}`
  const [least, most] = file === 'blkio.weight' ? [10, 1000] : [1, 1000]
  return String(Math.min(most, Math.max(least, weight)))
}
