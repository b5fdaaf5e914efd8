import type { Agent } from '../../lib/client/client.ts'
import { choose } from './language.ts'
import { exactSize, sizeText } from './size.ts'

export type LimitName = keyof Agent['limits']

interface LimitFacts {
  label: string
  /** What it counts, and what happens beyond it. */
  hint: string
  /** Of `newdt run`. */
  option: string
  isSize: boolean
}

/** All that the console knows of the limits of jobs, in the order in which they are shown. */
export const LIMITS: Record<LimitName, LimitFacts> = {
  memory: {
    ...choose({
      en: { label: 'Memory', hint: 'Of all its processes, such as 512mb. It is killed beyond that.' },
      zh: { label: '内存', hint: '全部进程合计，例如 512mb。超过时任务被杀死。' },
    }),
    option: '--memory',
    isSize: true,
  },
  cpus: {
    ...choose({
      en: { label: 'Processors', hint: 'Such as 1.5. It becomes slower.' },
      zh: { label: '处理器', hint: '例如 1.5。到达后变慢。' },
    }),
    option: '--cpus',
    isSize: false,
  },
  processes: {
    ...choose({
      en: { label: 'Processes', hint: 'With threads, at a time.' },
      zh: { label: '进程数', hint: '同时存在的，含线程。' },
    }),
    option: '--processes',
    isSize: false,
  },
  openFiles: {
    ...choose({
      en: { label: 'Open files', hint: 'Of each process.' },
      zh: { label: '打开的文件数', hint: '每个进程。' },
    }),
    option: '--open-files',
    isSize: false,
  },
  fileSize: {
    ...choose({
      en: { label: 'File size', hint: 'Of each file that it writes, such as 1gb.' },
      zh: { label: '文件大小', hint: '写入的每个文件，例如 1gb。' },
    }),
    option: '--file-size',
    isSize: true,
  },
  nice: {
    ...choose({
      en: { label: 'Nice', hint: 'How far others go first, 0 to 19.' },
      zh: { label: 'Nice 值', hint: '让其他进程优先多少，0 到 19。' },
    }),
    option: '--nice',
    isSize: false,
  },
  ioWeight: {
    ...choose({
      en: { label: 'Disk weight', hint: 'Against 100 of others.' },
      zh: { label: '磁盘权重', hint: '相对于其他任务的 100。' },
    }),
    option: '--io-weight',
    isSize: false,
  },
}

export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[]

/** As the agent and newdt read it, to the byte: `512mb`, `1000b`, `1.5`. */
export const exactLimit = (name: LimitName, value: number): string =>
  LIMITS[name].isSize ? exactSize(value) : String(value)

/** To be read: `1.4 MB`, `1.5`. */
export const shownLimit = (name: LimitName, value: number): string =>
  LIMITS[name].isSize ? sizeText(value) : String(value)
