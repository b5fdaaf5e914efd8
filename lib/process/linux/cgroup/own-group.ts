import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readLiving } from '../proc.ts'
import { processesOf, writeTo } from './group.ts'
import { type Controller, type Hierarchy, isWritable } from './hierarchies.ts'

/** Why the agent may not divide its group of version 2; undefined when it may. */
export const whyUnusable = (
  { directory }: Hierarchy,
  isDelegated: (directory: string) => boolean,
): string | undefined => {
  if (!isWritable(join(directory, 'cgroup.subtree_control')))
    return `the agent may not write to its cgroup ${directory} (under systemd its unit needs Delegate=yes)`
  if (!existsSync('/run/systemd/system')) {
    return processesOf(directory).every(isOurs)
      ? undefined
      : `other processes are in the agent's cgroup ${directory}`
  }
  if (isDelegated(directory)) return undefined
  // A systemd before 251 marks it only for root; but then the group is nobody else's.
  if (process.getuid?.() !== 0 && processesOf(directory).every(pid => isAncestor(process.pid, pid)))
    return undefined
  return `systemd has not left the cgroup ${directory} to the agent: its unit needs Delegate=yes`
}

/**
 * Moves the agent into a group below its own, and makes another one, `jobs`, ready for groups of jobs. Undefined when
 * that is done, else what has failed.
 */
export const divide = ({ directory, controllers }: Hierarchy, jobs: string): string | undefined => {
  try {
    // The group of the whole machine has no type, and may have both processes and groups.
    if (existsSync(join(directory, 'cgroup.type'))) {
      const agent = join(directory, 'agent')
      mkdirSync(agent, { recursive: true })
      for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
        const found = processesOf(directory)
        if (found.length === 0) break
        for (const pid of found) moveTo(agent, pid)
      }
    }
    mkdirSync(jobs, { recursive: true })
    for (const group of [directory, jobs]) enableAll(group, controllers)
    return undefined
  } catch (error) {
    return `the agent's cgroup ${directory} cannot be divided: ${(error as Error).message}`
  }
}

/** Has groups below a group limited. What cannot be enabled is a limit that cannot be kept, which trees.ts finds. */
export const enableAll = (group: string, controllers: ReadonlySet<string>): void => {
  for (const controller of ['memory', 'cpu', 'pids', 'io'] satisfies Controller[]) {
    if (!controllers.has(controller)) continue
    try {
      writeTo(group, 'cgroup.subtree_control', `+${controller}`)
    } catch {}
  }
}

const moveTo = (group: string, pid: number): void => {
  try {
    writeTo(group, 'cgroup.procs', String(pid))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // It has ended.
  }
}

/** The agent, what has started it, and what it has started. */
const isOurs = (pid: number): boolean => isAncestor(pid, process.pid) || isAncestor(process.pid, pid)

const isAncestor = (ancestor: number, pid: number): boolean => {
  for (let at = pid; at > 0; at = readLiving(at)?.parent ?? 0) if (at === ancestor) return true
  return false
}

/** Processes that are forked while others are moved are moved in the next round. */
const MOST_ROUNDS = 10
