import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { copyProduct } from './product.ts'
import { run } from './run.ts'

/** What a machine boots from. The disk is one to be copied. */
export interface Image {
  disk: string
  kernel: string
  initrd: string
}

export const SECRET = 'of a machine'

/** Sparse: what is used of it is less than 1 GB. */
const DISK_SIZE = '3G'

/** As in docs/deploy.md; the settings are those that let this machine reach the agent. */
const INSTALL = `
set -eu
chown newdt /etc/newdt-auto.secret
cp /opt/newdt-auto/runtime/package/newdt-auto.service /etc/systemd/system/
ln -s /opt/newdt-auto/runtime/newdt /usr/local/bin/newdt
systemctl enable newdt-auto
`
const DROP_IN = '[Service]\nEnvironment=AGENT_HOST=0.0.0.0 AGENT_MAX_RUNNING=50\n'

export const imageIn = (directory: string): Image => ({
  disk: join(directory, 'disk'),
  kernel: join(directory, 'kernel'),
  initrd: join(directory, 'initrd'),
})

/** Puts the agent of this checkout into a copy of the system, and makes a disk of it in `directory`. */
export const createImage = async (system: string, directory: string): Promise<void> => {
  const root = join(directory, 'root')
  // Hard links: what is added are new files, and none is written to.
  await run('cp', ['-al', system, root])
  copyProduct(join(root, 'opt/newdt-auto'))
  writeFileSync(join(root, 'etc/newdt-auto.secret'), SECRET, { mode: 0o600 })
  await run('chroot', [root, 'sh', '-c', INSTALL])
  const dropIn = join(root, 'etc/systemd/system/newdt-auto.service.d/machine.conf')
  mkdirSync(dirname(dropIn))
  writeFileSync(dropIn, DROP_IN)

  const image = imageIn(directory)
  await run('mkfs.ext4', ['-q', '-d', root, image.disk, DISK_SIZE])
  const boot = (link: string) => join(root, 'boot', basename(realpathSync(join(root, link))))
  cpSync(boot('vmlinuz'), image.kernel)
  cpSync(boot('initrd.img'), image.initrd)
  rmSync(root, { recursive: true })
}
