import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { isInstalled } from './is-installed.ts'
import { waitFor } from './wait-for.ts'

/** For `test`'s options: without the engine there is nothing to be tried. */
export const NATS_TEST = { skip: isInstalled('nats-server') ? false : 'nats-server is not installed' }

export interface NatsServerOptions {
  /** More of its configuration: permissions, TLS, limits. */
  config?: string
  /** What URLs of it begin with. */
  protocol?: 'nats' | 'tls'
  /** False where accounts would have to be given their share of it. */
  jetstream?: boolean
  /** More of the configuration of JetStream. */
  jetstreamMore?: string
}

// A test that fails must not leave one behind.
const children = new Set<ChildProcess>()
const directories: string[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  for (const path of directories) rmSync(path, { recursive: true, force: true })
})

/** A real engine with JetStream, on a free port of the loopback address; what it stores lives through a restart. */
export const startNatsServer = async ({
  config = '',
  protocol = 'nats',
  jetstream = true,
  jetstreamMore = '',
}: NatsServerOptions = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'test-nats-'))
  directories.push(directory)
  const port = await freePort()
  const file = join(directory, 'nats.conf')
  writeFileSync(
    file,
    `listen: 127.0.0.1:${port}\n${jetstream ? `jetstream { store_dir: "${directory}/jetstream", ${jetstreamMore} }` : ''}\n${config}\n`,
  )
  let child: ChildProcess
  let log = ''
  const start = async (): Promise<void> => {
    let text = ''
    child = spawn('nats-server', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    children.add(child)
    const started = child
    started.once('exit', () => children.delete(started))
    child.stderr?.on('data', chunk => {
      text += chunk
      log += chunk
    })
    await waitFor('nats-server is ready', () => {
      if (started.exitCode !== null) throw new Error(`nats-server ended: ${text}`)
      return text.includes('Server is ready')
    })
  }
  const end = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }
  await start()
  return {
    url: `${protocol}://127.0.0.1:${port}`,
    port,
    directory,
    log: () => log,
    pid: () => child.pid!,
    start,
    end,
    async restart(signal?: NodeJS.Signals): Promise<void> {
      await end(signal)
      await start()
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await end()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export type NatsServer = Awaited<ReturnType<typeof startNatsServer>>

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
