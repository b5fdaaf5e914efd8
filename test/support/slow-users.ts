import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/**
 * The environment of a process for which the user `slow-user` is looked up for an hour; undefined when there is no C
 * compiler. The library is put into the scratch directory.
 */
export const createSlowUsers = (scratch: string): Record<string, string> | undefined => {
  const library = join(scratch, 'slow-users.so')
  const source = join(import.meta.dirname, 'slow-users.c')
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  return status === 0 ? { LD_PRELOAD: library } : undefined
}
