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

/** Files of a group of version 1, as the kernel's admin-guide/cgroup-v1 describes them. A tree has only some of them. */
export const VERSION_1: GroupFiles = {
  fileOf: { memory: 'memory.limit_in_bytes', cpus: 'cpu.cfs_quota_us', processes: 'pids.max' },

  unlimited: [
    { file: 'memory.memsw.limit_in_bytes', value: '-1', optional: true },
    { file: 'memory.limit_in_bytes', value: '-1', optional: true },
    { file: 'cpu.cfs_quota_us', value: '-1', optional: true },
    { file: 'pids.max', value: 'max', optional: true },
  ],

  settings({ memory, cpus, processes }: GroupLimits): Setting[] {
    return [
      ...(memory === undefined
        ? []
        : [
            { file: 'memory.limit_in_bytes', value: String(memory) },
            // Memory and swap together; not there where swap is not accounted for.
            { file: 'memory.memsw.limit_in_bytes', value: String(memory), optional: true },
          ]),
      ...(cpus === undefined
        ? []
        : [
            { file: 'cpu.cfs_period_us', value: String(CPU_PERIOD_US) },
            { file: 'cpu.cfs_quota_us', value: String(quotaOf(cpus)) },
          ]),
      ...(processes === undefined ? [] : [{ file: 'pids.max', value: String(processes) }]),
    ]
  },

  readUsage(group) {
    const cpuNanos = readNumber(join(group, 'cpuacct.usage'))
    return {
      cpu: cpuNanos === null ? null : cpuNanos / 1e9,
      memory: readNumber(join(group, 'memory.usage_in_bytes')),
      peakMemory: readNumber(join(group, 'memory.max_usage_in_bytes')),
      peakProcesses: readNumber(join(group, 'pids.peak')),
      readBytes: sumIn(group, 'blkio.throttle.io_service_bytes', /^\S+ Read (\d+)$/gm),
      writtenBytes: sumIn(group, 'blkio.throttle.io_service_bytes', /^\S+ Write (\d+)$/gm),
    }
  },

  countOutOfMemory: group => flatValue(readText(join(group, 'memory.oom_control')), 'oom_kill') ?? 0,
}
