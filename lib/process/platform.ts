import type { Processes, ProcessesOptions } from './types.ts'

/** The process layer for this system. */
export const createProcesses = async (options: ProcessesOptions): Promise<Processes> =>
  (await loadProcesses())(options)

/** Loaded only where they run: koffi's libc calls are Linux's. */
export const loadProcesses = async (): Promise<(options?: ProcessesOptions) => Processes> =>
  process.platform === 'linux'
    ? (await import('./linux/linux-processes.ts')).createLinuxProcesses
    : (await import('./node/node-processes.ts')).createNodeProcesses
