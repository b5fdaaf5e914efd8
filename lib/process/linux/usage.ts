import type { Exit } from '../exit-status.ts'
import type { LivingProcess, Target, Usage } from '../types.ts'
import { readText } from './cgroup/hierarchies.ts'
import type { JobGroups } from './cgroup/job-groups.ts'
import { flatValue } from './cgroup/tree.ts'

export interface UsageOptions {
  groups: Pick<JobGroups, 'usage'>
  find(target: Target): Promise<LivingProcess[]>
}

/**
 * What a job uses: its control groups know it exactly. Without them its living processes tell, as long as it runs, and
 * then wait4(2), of the job's own process and of those that it has waited for.
 */
export const createUsage = ({ groups, find }: UsageOptions) => {
  const ofGroups = ({ marks }: Target): Usage | undefined => {
    for (const mark of marks) {
      const usage = groups.usage(mark)
      if (usage) return usage
    }
    return undefined
  }

  return async (target: Target, exit?: Exit): Promise<Usage> => {
    const known = ofGroups(target)
    if (exit) return { ...merge(known, ofExit(exit)), memory: null }
    if (known && Object.values(known).every(value => value !== null)) return known
    return merge(known, ofProcesses(await find(target)))
  }
}

/** What was counted by the first where it was, else by the second. */
const merge = (first: Usage | undefined, second: Usage): Usage => {
  if (!first) return second
  const names = Object.keys(second) as (keyof Usage)[]
  return Object.fromEntries(names.map(name => [name, first[name] ?? second[name]])) as unknown as Usage
}

const ofExit = ({ cpu, io }: Exit): Usage => ({
  cpu: cpu.user + cpu.system,
  memory: null,
  peakMemory: null,
  peakProcesses: null,
  readBytes: io?.readBytes ?? null,
  writtenBytes: io?.writtenBytes ?? null,
})

/** Pages that several have in common count for each of them, proc_pid_stat(5). */
const ofProcesses = (found: LivingProcess[]): Usage => {
  const io = found.map(({ pid }) => readText(`/proc/${pid}/io`).replaceAll(':', ''))
  const sumOf = (key: string): number | null =>
    found.length === 0 || io.includes('')
      ? null
      : io.reduce((sum, text) => sum + (flatValue(text, key) ?? 0), 0)
  return {
    cpu: sum(found.map(({ cpu }) => cpu.user + cpu.system)),
    memory: sum(found.map(({ residentBytes }) => residentBytes)),
    peakMemory: null,
    peakProcesses: null,
    readBytes: sumOf('read_bytes'),
    writtenBytes: sumOf('write_bytes'),
  }
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
