import type { Exit } from './exit-status.ts'
import { NO_USAGE, type Usage } from './types.ts'

/** What the end of a process alone tells. */
export const usageOfExit = ({ cpu, io }: Exit): Usage => ({
  ...NO_USAGE,
  // As exact as it was told. Nothing ends without any: then the system has not told it.
  cpu: Math.round((cpu.user + cpu.system) * 1e6) / 1e6 || null,
  readBytes: io?.readBytes ?? null,
  writtenBytes: io?.writtenBytes ?? null,
})
