import { isInstalled } from '../support/is-installed.ts'

const PROGRAMS = ['qemu-system-x86_64', 'mmdebstrap', 'mkfs.ext4', 'chroot']

/** What keeps this machine from starting another, in words; undefined when nothing does. */
export const whatIsMissing = (): string | undefined => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x64'
  if (process.getuid?.() !== 0) return 'it needs root, whose files are in the machine'
  const missing = PROGRAMS.filter(program => !isInstalled(program))
  if (missing.length === 0) return undefined
  return `it needs ${missing.join(', ')} (apt-get install qemu-system-x86 mmdebstrap e2fsprogs)`
}
