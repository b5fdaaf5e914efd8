import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/**
 * The environment of a process in which C functions are those of a file in this directory; undefined when there is no C
 * compiler. The library is put into the scratch directory.
 */
export const preloaded = (scratch: string, name: 'slow-users' | 'slow-names') => {
  const library = join(scratch, `${name}.so`)
  const source = join(import.meta.dirname, `${name}.c`)
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  return status === 0 ? { LD_PRELOAD: library } : undefined
}
