import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from './wait-for.ts'

export type Ext4Disk = NonNullable<ReturnType<typeof createExt4Disk>>

/**
 * A file system of its own for `directory`, as an image in a scratch directory. Only what is started by `command` sees
 * it, and it is unmounted with the last of its processes. Undefined where nobody may mount one.
 */
export const createExt4Disk = (scratch: string, directory: string) => {
  const image = join(scratch, 'disk.ext4')
  const deviceFile = join(scratch, 'device')
  mkdirSync(directory, { mode: 0o700 })
  writeFileSync(image, '')
  const mount = `mount -o loop,errors=remount-ro ${image} ${directory} && findmnt -no SOURCE ${directory} > ${deviceFile}`
  const succeeds = (file: string, ...args: string[]) => spawnSync(file, args).status === 0
  const canMount =
    succeeds('truncate', '-s', '32M', image) &&
    succeeds('mkfs.ext4', '-q', image) &&
    succeeds('unshare', '-m', 'sh', '-c', mount)
  if (!canMount) return undefined
  return {
    command: (...program: string[]): [file: string, ...args: string[]] => [
      'unshare',
      '-m',
      'sh',
      '-c',
      `${mount} && exec "$@"`,
      'sh',
      ...program,
    ],

    /** Has the kernel find an error in it: it turns read-only until it is mounted again. */
    fail(): void {
      const device = readFileSync(deviceFile, 'utf8').trim().replace('/dev/', '')
      writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'a test')
    },

    unmounted: (): Promise<unknown> =>
      waitFor(
        'the disk is unmounted',
        () => spawnSync('losetup', ['-j', image]).stdout.toString().trim() === '',
      ),
  }
}
