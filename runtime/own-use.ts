import { loadavg } from 'node:os'
import type { Use } from '../lib/metrics/history.ts'

export interface UseOptions {
  /** Processor time of the process since its start, in microseconds. */
  cpuUsage(): { user: number; system: number }
  /** Milliseconds since the start of the process. */
  uptimeMs(): number
}

/** Tells what this process uses; of the processor the share since the call before, or since its start. */
export const createOwnUse = ({ cpuUsage, uptimeMs }: UseOptions = OWN) => {
  let last = { cpuMs: 0, at: 0 }
  return (): Use => {
    const { user, system } = cpuUsage()
    const now = { cpuMs: (user + system) / 1000, at: uptimeMs() }
    // Two clocks of the kernel: they do not agree to the microsecond.
    const cpu = Math.max(0, now.cpuMs - last.cpuMs) / Math.max(1, now.at - last.at)
    last = now
    return { cpu: rounded(cpu), residentBytes: process.memoryUsage.rss(), load: rounded(loadavg()[0]!) }
  }
}

const OWN: UseOptions = { cpuUsage: () => process.cpuUsage(), uptimeMs: () => performance.now() }

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000
