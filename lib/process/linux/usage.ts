import { setImmediate } from 'node:timers/promises'
import type { Exit } from '../exit-status.ts'
import { type LivingProcess, NO_USAGE, type Target, type Usage } from '../types.ts'
import { usageOfExit } from '../usage-of-exit.ts'
import { flatValue } from './cgroup/group-files.ts'
import type { JobGroups } from './cgroup/job-groups.ts'
import { readText } from './read-text.ts'

export interface UsageOptions {
  groups: Pick<JobGroups, 'usage' | 'members'>
  /** What was found up to `oldMs` milliseconds ago will do. */
  find(target: Target, known: LivingProcess[], oldMs: number): Promise<LivingProcess[]>
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
    if (exit) return { ...merge(known, usageOfExit(exit)), memory: null }
    if (known?.cpu == null || known.memory === null)
      return merge(known, await ofProcesses(await find(target, [], OLD_MS)))
    // Only version 2 counts what disks do; who is in the group is known without a look at the whole machine.
    return known.readBytes === null ? merge(known, await ofDisks(groups.members(target.marks))) : known
  }
}

/** What was counted by the first where it was, else by the second. */
const merge = (first: Usage | undefined, second: Usage): Usage => {
  if (!first) return second
  const names = Object.keys(second) as (keyof Usage)[]
  return Object.fromEntries(names.map(name => [name, first[name] ?? second[name]])) as unknown as Usage
}

/** Pages that several have in common count for each of them, proc_pid_stat(5). */
const ofProcesses = async (found: LivingProcess[]): Promise<Usage> => ({
  ...(await ofDisks(found.map(({ pid }) => pid))),
  cpu: sum(found.map(({ cpu }) => cpu.user + cpu.system)),
  memory: sum(found.map(({ residentBytes }) => residentBytes)),
})

/** Of the processes that live, and of those that they have waited for, proc_pid_io(5). */
const ofDisks = async (pids: number[]): Promise<Usage> => {
  const usage = { ...NO_USAGE, readBytes: 0, writtenBytes: 0 }
  for (const [index, pid] of pids.entries()) {
    if (index % PROCESSES_A_TURN === PROCESSES_A_TURN - 1) await setImmediate()
    const text = readText(`/proc/${pid}/io`)
    if (text === '') return NO_USAGE
    usage.readBytes += flatValue(text, 'read_bytes:') ?? 0
    usage.writtenBytes += flatValue(text, 'write_bytes:') ?? 0
  }
  return pids.length === 0 ? NO_USAGE : usage
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)

/** Many may ask again and again. */
const OLD_MS = 500
const PROCESSES_A_TURN = 200
