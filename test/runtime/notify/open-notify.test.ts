import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseAddresses } from '../../../lib/security/address-list.ts'
import type { NewOutboxEntry } from '../../../lib/store/outbox-store.ts'
import { createOutboxStore } from '../../../lib/store/sqlite/outbox.ts'
import { type NotifyOptions, openNotify } from '../../../runtime/notify/open-notify.ts'
import { linuxProcesses } from '../../support/linux-processes.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { runningJob } from '../../support/sample-jobs.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { scratchDatabase } from '../../support/scratch-database.ts'
import { waitFor } from '../../support/wait-for.ts'

const open = async (given: Partial<NotifyOptions> & { origins?: string[] } = {}) => {
  const { origins = [], database = scratchDatabase(), ...rest } = given
  const opened = new AsyncDisposableStack()
  after(() => opened.disposeAsync())
  const dataDirectory = scratchDirectory()
  const { log, lines } = recordingLog()
  const counted: string[] = []
  const notify = await openNotify({
    config: {
      allow: { origins, addresses: parseAddresses([]).list },
      everyJob: undefined,
      secretFile: undefined,
    },
    dataDirectory,
    host: 'db1',
    hasFleet: false,
    database,
    room: { spend() {} },
    processes: linuxProcesses(),
    env: {},
    count: (sink, what) => counted.push(`${sink} ${what}`),
    log,
    opened,
    ...rest,
  })
  return { notify, lines, counted, opened, secret: join(dataDirectory, 'notify-secret') }
}

const ORIGIN = 'https://ci.example.com'
const url = `${ORIGIN}/done`
const entry: NewOutboxEntry = {
  ...{ id: 'a.ended', jobId: 'a', sink: 'callback', target: url, origin: ORIGIN },
  ...{ kind: 'ended', payload: '{}', createdAt: 0 },
}

test('where nobody is told, nothing is stored, no secret is made up, and nothing is delivered', async () => {
  const { notify, lines, secret } = await open()
  await notify.begin()
  assert.deepEqual([notify.outgoing, notify.delivery(), notify.waiting()], [undefined, undefined, []])
  assert.deepEqual([notify.mayNotify(url), existsSync(secret), lines], [false, false, []])
})

test('what waits from before, and cannot be delivered any more, is told', async () => {
  const database = scratchDatabase()
  createOutboxStore(database).addWith([entry], () => undefined)
  const { notify, lines } = await open({ database })
  await notify.begin()
  assert.deepEqual(
    lines.map(({ level, fields }) => [level, fields]),
    [['warn', { pending: 1 }]],
  )
  assert.equal(notify.ofJob('a')[0]?.state, 'pending')
})

test('with callbacks a secret is made up, and they may go to origins that are listed', async () => {
  const { notify, secret } = await open({ origins: [ORIGIN] })
  assert.equal(existsSync(secret), false)
  await notify.begin()
  assert.equal(existsSync(secret), true)
  assert.deepEqual(
    [url, `${ORIGIN}:8443/`, 'http://ci.example.com/'].map(one => notify.mayNotify(one)),
    [true, false, false],
  )
  assert.deepEqual(notify.waiting(), [{ sink: 'callback', pending: 0 }])
})

test('a secret that was made up and is taken away is a fault, and none is made up in its place', async () => {
  const { notify, lines, secret } = await open({ origins: [ORIGIN] })
  await notify.begin()
  rmSync(secret)
  const fault = await waitFor('the fault is told', () => lines.find(({ level }) => level === 'error'))
  assert.match(fault.message, /the one from before stays/)
  assert.equal(existsSync(secret), false)
})

test('a fleet is told of every event by a sink that is added, without any callback', async () => {
  const { notify, counted, secret } = await open({ hasFleet: true })
  const { of, store } = notify.outgoing!
  const job = runningJob({ id: 'a', notify: { url, on: ['started'] } })
  await notify.begin()
  store.addWith(of({ kind: 'created', job }), () => undefined)
  store.addWith(of({ kind: 'started', job }), () => undefined)
  assert.deepEqual([notify.waiting(), notify.ofJob('a')], [[{ sink: 'fleet', pending: 2 }], []])
  const delivered: string[] = []
  notify.delivery()!.add('fleet', {
    deliver: async ({ id }) => {
      delivered.push(id)
      return 'delivered'
    },
    atOnce: { all: 8, origin: 8 },
    pause: () => 1000,
  })
  await waitFor('both events are delivered', () => notify.waiting()[0]?.pending === 0)
  assert.deepEqual(delivered, ['a.created', 'a.started'])
  assert.deepEqual(counted, ['fleet delivered', 'fleet delivered'])
  assert.equal(existsSync(secret), false)
})
