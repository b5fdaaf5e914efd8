import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type FailingDisk = NonNullable<ReturnType<typeof createFailingDisk>>

/**
 * A library in a scratch directory that makes the disk under `directory` fail for the processes which are started with
 * its environment; undefined when there is no C compiler. See failing-disk.c.
 */
export const createFailingDisk = (scratch: string, directory: string) => {
  const library = join(scratch, 'failing-disk.so')
  const source = join(import.meta.dirname, 'failing-disk.c')
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  if (status !== 0) return undefined
  const flag = join(scratch, 'disk-fails')
  return {
    env: { LD_PRELOAD: library, FAILING_DISK_DIRECTORY: directory, FAILING_DISK_FLAG: flag },
    fail: (how: 'EROFS' | 'EIO') => writeFileSync(flag, how === 'EIO' ? 'EIO' : ''),
    heal: () => rmSync(flag),
  }
}
