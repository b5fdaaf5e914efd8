import { readFileSync, writeFileSync } from 'node:fs'
import type { Results } from './rounds.ts'

/** What a process has in memory now, in MB (2^20 bytes). */
export const residentMb = (pid: number): number => statusMb(pid, 'VmRSS')

/** The most that it had since `resetPeak`. */
export const peakMb = (pid: number): number => statusMb(pid, 'VmHWM')

/** proc_pid_clear_refs(5): 5 sets the peak to what is resident now. */
export const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** From figures `idleMb` and `peakMb`; undefined for whom has none. */
export const overIdleOf =
  (results: Results) =>
  (name: string): number | undefined => {
    const peak = results.median(name, 'peakMb')
    return peak === undefined ? undefined : peak - results.median(name, 'idleMb')!
  }

const statusMb = (pid: number, field: string): number => {
  const [, kib] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
  return Number(kib) / 1024
}
