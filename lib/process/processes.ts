import type { Processes } from './spawn.ts'

/** The process layer for this system. */
export const createProcesses = async (): Promise<Processes> => {
  // Loaded only where they run: koffi's libc calls are Linux's.
  if (process.platform === 'linux') return (await import('./linux.ts')).createLinuxProcesses()
  return (await import('./node-spawn.ts')).createNodeProcesses()
}
