import type { Processes } from './types.ts'

/** The process layer for this system. */
export const createProcesses = async (): Promise<Processes> => (await loadProcesses())()

/** Loaded only where they run: koffi's libc calls are Linux's. */
export const loadProcesses = async (): Promise<() => Processes> =>
  process.platform === 'linux'
    ? (await import('./linux/linux-processes.ts')).createLinuxProcesses
    : (await import('./node/node-processes.ts')).createNodeProcesses
