import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '../../lib/client/client.ts'
import { hashToken } from '../../lib/security/keys.ts'
import { startAgent } from '../../runtime/agent.ts'
import { readConfig } from '../../runtime/config.ts'
import { StartupError } from '../../runtime/startup-error.ts'
import { openDescriptors } from '../support/proc.ts'
import { recordingLog } from '../support/recording-log.ts'
import { waitFor } from '../support/wait-for.ts'

const configOf = (directory: string, port: number) =>
  readConfig({ AGENT_DATA_DIR: directory, AGENT_PORT: String(port), AGENT_SECRET: 'secret', HOME: directory })

test('an agent that cannot listen, or has been stopped, has nothing open, and another can take its place', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'test-newdt-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const { log } = recordingLog()
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo

  const startAndStop = async (): Promise<void> => {
    const agent = await startAgent(configOf(directory, 0), {}, log)
    assert.equal((await fetch(`${agent.url}/healthz`)).status, 200)
    await agent.stop(0)
  }
  await startAndStop() // Node opens some descriptors of its own with the first.
  await waitFor('no connection is left', () => !process.getActiveResourcesInfo().includes('TCPSocketWrap'))
  const before = openDescriptors()
  const timers = timersOf()
  await assert.rejects(
    startAgent(configOf(directory, port), {}, log),
    (error: Error) => error instanceof StartupError && error.message.includes('EADDRINUSE'),
  )
  assert.equal(openDescriptors(), before)
  assert.deepEqual(timersOf(), timers)
  await startAndStop()
  await waitFor('its descriptors are closed', () => openDescriptors() === before)
  assert.equal(process.listenerCount('SIGCHLD'), 0)
})

test('an agent warns of users that no job can run as, and tells the caller whom it may run as, and the limits', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'test-newdt-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const keysFile = join(directory, 'keys.json')
  const token = `nda_${'a'.repeat(43)}`
  const key = { id: 'ci', rights: ['read', 'run'], token: hashToken(token), users: ['gone', 'other'] }
  writeFileSync(keysFile, JSON.stringify({ keys: [key] }), { mode: 0o600 })
  const { log, lines } = recordingLog()
  const settings = {
    AGENT_RUN_AS: 'gone,app',
    AGENT_DEFAULT_LIMITS: 'nice=5',
    AGENT_MAX_LIMITS: 'openFiles=64',
  }
  const agent = await startAgent(
    readConfig({ AGENT_DATA_DIR: directory, AGENT_PORT: '0', AGENT_KEYS_FILE: keysFile, ...settings }),
    {},
    log,
  )
  t.after(() => agent.stop(0))
  const answer = await fetch(`${agent.url}/api/agent`, { headers: { Authorization: `Bearer ${token}` } })
  const { data } = (await answer.json()) as { data: Record<string, unknown> }
  assert.deepEqual(
    [data.defaultLimits, data.maxLimits, data.caller],
    [{ nice: 5 }, { openFiles: 64 }, { id: 'ci', rights: ['read', 'run'], users: ['gone'], bounds: {} }],
  )
  const told = lines.filter(({ message }) => message === 'users of a key are not in AGENT_RUN_AS')
  assert.deepEqual(
    told.map(({ fields }) => fields),
    [{ key: 'ci', users: ['other'] }],
  )
})

test('an agent tells of its host, its disk and its store, and of the last hour from its start on', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'test-newdt-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const agent = await startAgent(configOf(directory, 0), {}, recordingLog().log)
  t.after(() => agent.stop(0))
  const client = connect(agent.url, { credentials: { secret: 'secret' } })
  const told = await client.status()
  assert.ok(told.ok)
  const { host, disk, store } = told.value
  assert.equal(host?.name, hostname())
  assert.ok(disk && disk.freeBytes <= disk.totalBytes)
  assert.ok(typeof store.bytes === 'number' && store.bytes >= statSync(join(directory, 'newdt-auto.db')).size)
  const history = await client.history()
  assert.ok(history.ok)
  const { everyMs, samples } = history.value
  assert.equal(everyMs, 15_000)
  assert.ok(samples[0] !== undefined && samples[0].residentBytes > 10_000_000)
  assert.deepEqual([samples[0].running, samples[0].started], [0, 0])
})

const timersOf = (): string[] => process.getActiveResourcesInfo().filter(name => name === 'Timeout')
