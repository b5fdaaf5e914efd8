import type { Capabilities } from './capabilities.ts'
import { type Libc, SIZE_OF } from './libc.ts'
import { readText } from './read-text.ts'

export const RLIMIT_FSIZE = 1
export const RLIMIT_NOFILE = 7
export const RLIMIT_LOCKS = 10
export const RLIMIT_RTTIME = 15
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn

/**
 * One soft resource limit of the agent, changed for the moment of a start and put back.
 * A child gets the limits of that moment (getrlimit(2)); nothing else may start a process in between.
 */
export const createSoftLimit = (libc: Libc, resource: number) => {
  const own = Buffer.alloc(SIZE_OF.rlimit)
  libc.getrlimit(resource, own)
  const changed = Buffer.from(own)
  return {
    soft: own.readBigUInt64LE(0),
    hard: own.readBigUInt64LE(8),
    set(soft: bigint): void {
      changed.writeBigUInt64LE(soft, 0)
      libc.setrlimit(resource, changed)
    },
    restore(): void {
      libc.setrlimit(resource, own)
    },
  }
}

/** The most that a child of this process may have of a resource; undefined for no bound. */
export const hardestLimit = (
  libc: Libc,
  resource: number,
  { mayRaiseLimits }: Pick<Capabilities, 'mayRaiseLimits'>,
): number | undefined => {
  const { hard } = createSoftLimit(libc, resource)
  if (mayRaiseLimits()) {
    // Nobody has more open files than this, capable or not.
    return resource === RLIMIT_NOFILE ? Number(readText('/proc/sys/fs/nr_open')) || undefined : undefined
  }
  return hard === RLIM_INFINITY ? undefined : Number(hard)
}
