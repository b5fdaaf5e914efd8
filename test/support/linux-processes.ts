import { createLinuxProcesses } from '../../lib/process/linux/linux-processes.ts'
import type { Processes } from '../../lib/process/types.ts'

let processes: Processes | undefined

/** The one process layer of this process: two would reap each other's orphans. */
export const linuxProcesses = (): Processes => {
  processes ??= createLinuxProcesses()
  return processes
}
