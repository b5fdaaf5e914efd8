import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './run.ts'

const SUITE = 'bookworm'
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'linux-image-cloud-amd64',
  'procps',
  'curl',
  'python3-minimal',
]

/** Files of the machine that have nothing to do with the agent. */
const FILES: Record<string, string> = {
  'etc/hostname': 'vm\n',
  'etc/systemd/network/ethernet.network': [
    '[Match]',
    'Type=ether',
    '[Network]',
    'Address=10.0.2.15/24',
    'Gateway=10.0.2.2',
    'LinkLocalAddressing=no',
    '',
  ].join('\n'),
  // A shell of root at a port: what it reads are commands, and it ends with the connection.
  'etc/systemd/system/root-shell.socket': [
    '[Socket]',
    'ListenStream=0.0.0.0:1023',
    'Accept=yes',
    '[Install]',
    'WantedBy=sockets.target',
    '',
  ].join('\n'),
  'etc/systemd/system/root-shell@.service': [
    '[Unit]',
    'CollectMode=inactive-or-failed',
    '[Service]',
    'ExecStart=-/bin/bash',
    'StandardInput=socket',
    'StandardOutput=socket',
    'StandardError=socket',
    '',
  ].join('\n'),
}

/** Users are made as docs/deploy.md has it; `deploy` is one that jobs run as. */
const SET_UP = `
set -eu
useradd --system --home-dir /var/lib/newdt-auto newdt
groupadd operators
useradd --create-home --groups operators --shell /bin/bash deploy
systemctl enable systemd-networkd root-shell.socket
systemctl disable apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
systemctl mask getty@tty1 serial-getty@ttyS0 systemd-networkd-wait-online systemd-networkd.socket
`

/** Changes with whatever the system is made of. */
const fingerprint = (): string =>
  createHash('sha256')
    .update(JSON.stringify([SUITE, PACKAGES, FILES, SET_UP]))
    .digest('hex')
    .slice(0, 12)

/** The directory tree of a Debian without the agent, made once and kept in `cache`. */
export const prepareSystem = async (cache: string, say: (text: string) => void): Promise<string> => {
  const system = join(cache, `system-${fingerprint()}`)
  if (globSync(join(system, 'vmlinuz')).length > 0) return system
  say('makes a Debian 12, once; about a minute')
  const unfinished = `${system}.${process.pid}`
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  try {
    const include = `--include=${PACKAGES.join(',')}`
    await run('mmdebstrap', ['--quiet', '--variant=minbase', include, SUITE, unfinished, ...sources()])
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(unfinished, path)), { recursive: true })
      writeFileSync(join(unfinished, path), text)
    }
    await run('chroot', [unfinished, 'sh', '-c', SET_UP])
    renameSync(unfinished, system)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return system
}

/** This machine's own mirror of that Debian, where it has one; else it is deb.debian.org. */
const sources = (): string[] =>
  globSync('/etc/apt/{sources.list,sources.list.d/*}').filter(file =>
    new RegExp(`/debian\\b[^#]*\\b${SUITE}\\b`).test(readFileSync(file, 'utf8')),
  )
