import { rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { readHierarchies } from '../../lib/process/linux/cgroup/hierarchies.ts'
import { createLinuxProcesses } from '../../lib/process/linux/linux-processes.ts'
import type { StartDurations } from '../../lib/process/linux/start-durations.ts'
import type { Processes } from '../../lib/process/types.ts'

let processes: Processes | undefined

/** The one process layer of this process: two would reap each other's orphans. The first call says how it is. */
export const linuxProcesses = (options: { startDurations?: StartDurations } = {}): Processes => {
  if (processes) return processes
  processes = createLinuxProcesses({ groupName: GROUP_NAME, ...options })
  process.once('exit', removeGroups)
  return processes
}

/** Other files of tests run at the same time. */
const GROUP_NAME = `newdt-auto-test-${process.pid}`

/** Where its jobs have control groups. */
export const groupBases = (): string[] =>
  readHierarchies().map(({ version, directory }) => join(directory, version === 1 ? GROUP_NAME : 'jobs'))

const removeGroups = (): void => {
  for (const base of groupBases()) {
    try {
      rmdirSync(base)
    } catch {}
  }
}
