import { join } from 'node:path'
import { readText } from '../read-text.ts'
import {
  CPU_PERIOD_US,
  flatValue,
  type GroupFiles,
  type GroupLimits,
  quotaOf,
  readNumber,
  type Setting,
  sumIn,
} from './group-files.ts'

/** Files of a group of version 2, as the kernel's admin-guide/cgroup-v2 describes them. */
export const VERSION_2: GroupFiles = {
  fileOf: { memory: 'memory.max', cpus: 'cpu.max', processes: 'pids.max' },

  unlimited: [
    { file: 'memory.max', value: 'max', optional: true },
    { file: 'memory.swap.max', value: 'max', optional: true },
    { file: 'cpu.max', value: `max ${CPU_PERIOD_US}`, optional: true },
    { file: 'pids.max', value: 'max', optional: true },
  ],

  settings({ memory, cpus, processes }: GroupLimits): Setting[] {
    return [
      // Then all of the job is killed, not one process of it, which the others would not notice.
      { file: 'memory.oom.group', value: '1', optional: true },
      ...(memory === undefined
        ? []
        : [
            { file: 'memory.max', value: String(memory) },
            { file: 'memory.swap.max', value: '0', optional: true },
          ]),
      ...(cpus === undefined ? [] : [{ file: 'cpu.max', value: `${quotaOf(cpus)} ${CPU_PERIOD_US}` }]),
      ...(processes === undefined ? [] : [{ file: 'pids.max', value: String(processes) }]),
    ]
  },

  readUsage(group) {
    const read = (file: string) => readText(join(group, file))
    const cpuMicros = flatValue(read('cpu.stat'), 'usage_usec')
    return {
      cpu: cpuMicros === undefined ? null : cpuMicros / 1e6,
      memory: readNumber(join(group, 'memory.current')),
      peakMemory: readNumber(join(group, 'memory.peak')),
      peakProcesses: readNumber(join(group, 'pids.peak')),
      readBytes: sumIn(group, 'io.stat', /\brbytes=(\d+)/g),
      writtenBytes: sumIn(group, 'io.stat', /\bwbytes=(\d+)/g),
    }
  },

  countOutOfMemory: group => flatValue(readText(join(group, 'memory.events')), 'oom_kill') ?? 0,
}
