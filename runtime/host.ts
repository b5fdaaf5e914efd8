import { availableParallelism, hostname, machine, release, totalmem, type } from 'node:os'
import type { AgentFacts } from '../handlers/services.ts'
import { within } from '../lib/base/within.ts'
import type { Disk } from '../lib/store/disk.ts'

export interface Looks {
  disk(): Promise<Disk>
  /** What the store takes on the disk. */
  storeBytes(): Promise<number>
}

/** Tells of the host. What cannot be looked at, or takes too long, is null: a file system may hang for ever. */
export const createHostFacts = (looks: Looks) => {
  const disk = inTime(looks.disk)
  const storeBytes = inTime(looks.storeBytes)
  return async (): Promise<AgentFacts> => {
    const found = await Promise.all([disk(), storeBytes()])
    return {
      host: {
        name: hostname(),
        system: type(),
        release: release(),
        machine: machine(),
        cpus: availableParallelism(),
        memoryBytes: totalmem(),
      },
      disk: found[0],
      storeBytes: found[1],
    }
  }
}

/** One look at a time: each that hangs keeps one of the few threads that Node has for all files. */
const inTime = <T>(look: () => Promise<T>) => {
  let pending: Promise<T | null> | undefined
  return async (): Promise<T | null> => {
    pending ??= look()
      .catch(() => null)
      .finally(() => {
        pending = undefined
      })
    return (await within(pending, PATIENCE_MS)) ?? null
  }
}

/** Less than a stopping agent has for its last answers: a drain that ends it at once is answered so. */
const PATIENCE_MS = 500
