import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { freePort } from '../bench/ports.ts'
import { waitFor } from '../support/wait-for.ts'
import { createAgent } from './agent.ts'
import { type Image, imageIn } from './image.ts'
import { runAsRoot } from './root-shell.ts'
import { run } from './run.ts'

export type Machine = Awaited<ReturnType<typeof createMachine>>

/** An emulated processor, on one that others may be using too. */
const BOOT_DEADLINE_MS = 600_000
/** Each look costs the machine something. */
const PAUSE_MS = 300
const POWER_OFF_DEADLINE_MS = 120_000
const SHELL_DEADLINE_MS = 60_000

/** A machine with a disk of its own, which is off. It is gone at the end of the test file that calls this. */
export const createMachine = async () => {
  const image = imageIn(process.env.VM_IMAGE ?? '')
  const directory = mkdtempSync(`${image.disk}-`)
  const disk = join(directory, 'disk')
  const console = join(directory, 'console.log')
  await run('cp', ['--sparse=always', '--reflink=auto', image.disk, disk])
  const ports = { agent: await freePort(), shell: await freePort() }
  let qemu: ChildProcess | undefined
  let ended: Promise<unknown> = Promise.resolve()
  after(async () => {
    qemu?.kill('SIGKILL')
    await ended
    rmSync(directory, { recursive: true })
  })

  const shell = (script: string, deadlineMs = SHELL_DEADLINE_MS): Promise<string> =>
    runAsRoot(ports.shell, script, deadlineMs)

  /** While it boots nobody answers. */
  const tryShell = (script: string): Promise<string> => runAsRoot(ports.shell, script, 5000).catch(() => '')

  const bootId = 'cat /proc/sys/kernel/random/boot_id'
  const agent = createAgent(`http://127.0.0.1:${ports.agent}`)

  const booted = async (previous = ''): Promise<void> => {
    await waitForMachine('the machine boots', async () => {
      const id = await tryShell(bootId)
      return id !== '' && id !== previous
    })
  }

  const isOff = (): boolean => qemu === undefined || qemu.exitCode !== null || qemu.signalCode !== null

  const waitForMachine = async (label: string, condition: () => Promise<boolean>): Promise<void> => {
    try {
      await waitFor(
        label,
        async () => isOff() || (await condition()) || setTimeout(PAUSE_MS, false),
        BOOT_DEADLINE_MS,
      )
      if (isOff()) throw new Error(`${label}: qemu has ended`)
    } catch (error) {
      const log = await tryShell('journalctl -u newdt-auto -o cat -n 20')
      throw new Error(`${(error as Error).message}\n${log || readFileSync(console, 'latin1').slice(-3000)}`)
    }
  }

  return {
    shell,
    agent,

    /** Switches it on, and waits until the agent is ready; resolves with how many seconds that took. */
    async boot(): Promise<number> {
      const begin = performance.now()
      const output = openSync(console, 'a')
      // The end of this process, whatever it is, is that of the machine.
      const tied = ['--pdeathsig', 'KILL', 'qemu-system-x86_64']
      qemu = spawn('setpriv', [...tied, ...argumentsOf(image, disk, ports)], {
        stdio: ['ignore', output, output],
      })
      ended = once(qemu, 'exit')
      await booted()
      await waitForMachine('the agent is ready', agent.isReady)
      return (performance.now() - begin) / 1000
    },

    /** Starts the agent that was stopped. */
    async start(): Promise<void> {
      await shell('systemctl start newdt-auto')
      await waitForMachine('the agent is ready', agent.isReady)
    },

    /** Waits until systemd has started another agent than the one with this pid, and that is ready. */
    async restarted(pid: string): Promise<void> {
      const isAnother = async () => ![pid, '0'].includes(await shell('systemctl show -P MainPID newdt-auto'))
      await waitForMachine('another agent', async () => (await isAnother()) && (await agent.isReady()))
    },

    /** As an administrator would; resolves when the agent is ready again. */
    async reboot(): Promise<void> {
      const before = await shell(bootId)
      await tryShell('systemctl --no-block reboot')
      await booted(before)
      await waitForMachine('the agent is ready', agent.isReady)
    },

    async powerOff(): Promise<void> {
      await tryShell('systemctl --no-block poweroff')
      await waitFor('the machine is off', isOff, POWER_OFF_DEADLINE_MS)
    },

    /** What it has not written to its disk is lost. */
    async powerCut(): Promise<void> {
      qemu?.kill('SIGKILL')
      await ended
    },

    /** Writes settings of the unit into a drop-in, and starts the agent anew with them: as newdt, or as root. */
    async configure(...lines: string[]): Promise<void> {
      // The file must belong to whom the agent runs as.
      await shell(`chown ${lines.includes('User=root') ? 'root' : 'newdt'} /etc/newdt-auto.secret`)
      const file = '/etc/systemd/system/newdt-auto.service.d/test.conf'
      await shell(
        `cat > ${file} <<'END'\n[Service]\n${lines.join('\n')}\nEND\nsystemctl daemon-reload\nsystemctl restart newdt-auto`,
      )
      await waitForMachine('the agent is ready', agent.isReady)
    },
  }
}

const argumentsOf = (image: Image, disk: string, ports: { agent: number; shell: number }): string[] => {
  const forward = `hostfwd=tcp:127.0.0.1:${ports.agent}-:8080,hostfwd=tcp:127.0.0.1:${ports.shell}-:1023`
  return [
    // Not KVM: a machine inside a machine often has none that works. One thread for both processors: with one each, a
    // Node in there has crashed, and on two busy processors here it is no slower.
    ...['-accel', 'tcg,thread=single', '-cpu', 'max', '-smp', '2', '-m', '1024', '-nographic'],
    ...['-kernel', image.kernel, '-initrd', image.initrd],
    ...['-append', 'console=ttyS0 root=/dev/vda rw quiet'],
    // This machine keeps what the other has written, also when qemu is killed: what is lost is what that one's kernel
    // had not written yet.
    ...['-drive', `file=${disk},format=raw,if=virtio,cache=unsafe`],
    ...['-netdev', `user,id=net,restrict=on,${forward}`, '-device', 'virtio-net,netdev=net'],
  ]
}
