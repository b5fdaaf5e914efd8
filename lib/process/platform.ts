import type { Log } from '../base/log.ts'
import type { Processes } from './types.ts'

/** The process layer for this system. */
export const createProcesses = async (log: Log): Promise<Processes> => (await loadProcesses())(log)

/** Loaded only where they run: koffi's libc calls are Linux's. */
export const loadProcesses = async (): Promise<(log: Log) => Processes> =>
  process.platform === 'linux'
    ? (await import('./linux/linux-processes.ts')).createLinuxProcesses
    : (await import('./node/node-processes.ts')).createNodeProcesses
