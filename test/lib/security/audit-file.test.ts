import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { openAudit } from '../../../lib/security/audit.ts'
import { verifyAudit } from '../../../lib/security/audit-verify.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { waitFor } from '../../support/wait-for.ts'

const scratch = scratchDirectory()
const newDirectory = (): string => mkdtempSync(join(scratch, 'audit-'))

const LINE = { action: 'submit', outcome: 'accepted' }
const openTrail = async (directory: string, options: { maxBytes?: number; intervalMs?: number } = {}) => {
  const { log, lines } = recordingLog()
  const audit = await openAudit({ directory, log, intervalMs: 5, ...options })
  const record = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await audit.recordOrFail(LINE)
  }
  return { audit, lines, record }
}

const read = (directory: string, name: string): string => readFileSync(join(directory, name), 'utf8')
const summary = async (directory: string) => {
  const { first, last, fault } = await verifyAudit(directory)
  return [first, last, fault?.message]
}

test('without a free descriptor lines go on in the full file, and nothing is wrong afterwards', async () => {
  const directory = newDirectory()
  const fixture = join(import.meta.dirname, '../../fixtures/audit-out-of-descriptors.ts')
  const command = ['-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath, fixture, directory]
  const { stdout, stderr } = spawnSync('bash', command, { encoding: 'utf8', timeout: 60_000 })
  assert.deepEqual([stdout, stderr], ['["audit.jsonl cannot be rotated"]', ''])
  const { first, lines, fault } = await verifyAudit(directory)
  assert.deepEqual([first, fault], [1, undefined])
  assert.ok(lines > 23, 'it is rotated again')
})

test('a rotation that fails leaves everything as it was', async () => {
  const directory = newDirectory()
  const { audit, lines, record } = await openTrail(directory, { maxBytes: 1000 })
  mkdirSync(join(directory, 'audit.next'))
  await record(20)
  assert.deepEqual(readdirSync(directory).sort(), ['audit.head', 'audit.jsonl', 'audit.next'])
  rmSync(join(directory, 'audit.next'), { recursive: true })
  await record(20)
  await audit.close()
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['audit.jsonl cannot be rotated'],
  )
  assert.ok(readdirSync(directory).length > 3)
  assert.equal((await verifyAudit(directory)).fault, undefined)
})

test('a rotation in whose middle the agent was killed is finished by the next one', async () => {
  for (const next of [undefined, '', '{"seq":4,"half":', '{"seq":4}\n']) {
    const directory = newDirectory()
    const { audit, record } = await openTrail(directory)
    await record(3)
    await audit.close()
    renameSync(join(directory, 'audit.jsonl'), join(directory, 'audit-000000000000003.jsonl'))
    if (next !== undefined) writeFileSync(join(directory, 'audit.next'), next)
    const again = await openTrail(directory)
    await again.record(1)
    await again.audit.close()
    assert.deepEqual(again.lines, [])
    assert.deepEqual(await summary(directory), [1, 5, undefined])
    const { outcome, first } = JSON.parse(read(directory, 'audit.jsonl').split('\n')[0]!)
    assert.deepEqual([outcome, first], ['rotated', 1])
    assert.deepEqual(readdirSync(directory).sort(), [
      'audit-000000000000003.jsonl',
      'audit.head',
      'audit.jsonl',
    ])
  }
})

/** Everything that a kill may leave of a rotation, with and without links; the head may be older than the last line. */
const IN_BETWEEN = {
  'the next file was begun': (_full: string, current: string, next: string) => {
    writeFileSync(next, readFileSync(current, 'utf8').slice(0, 20))
  },
  'the full file has both names': (full: string, current: string, next: string) => {
    linkSync(current, full)
    writeFileSync(next, '{"seq":4}\n')
  },
  'the full file has no other name': (full: string, current: string, next: string) => {
    renameSync(current, full)
    writeFileSync(next, '{"seq":4}\n')
  },
}

for (const [name, leave] of Object.entries(IN_BETWEEN)) {
  test(`a trail is sound where a rotation was not finished: ${name}`, async () => {
    const directory = newDirectory()
    const { audit, record } = await openTrail(directory)
    await record(3)
    await audit.close()
    const paths = ['audit-000000000000003.jsonl', 'audit.jsonl', 'audit.next'].map(one =>
      join(directory, one),
    )
    leave(paths[0]!, paths[1]!, paths[2]!)
    assert.deepEqual(await summary(directory), [1, 3, undefined])
    const again = await openTrail(directory, { maxBytes: 1000 })
    await again.record(20)
    await again.audit.close()
    assert.deepEqual(again.lines, [])
    const { lines, first, fault } = await verifyAudit(directory)
    assert.deepEqual([first, fault], [1, undefined])
    const files = readdirSync(directory).filter(one => one.endsWith('.jsonl'))
    const found = files.flatMap(one => read(directory, one).split('\n').slice(0, -1))
    assert.equal(found.length, lines, 'no line is there twice')
  })
}

test('the file that lines are added to is there all the time while it is rotated', async t => {
  const directory = newDirectory()
  const { audit, lines, record } = await openTrail(directory, { maxBytes: 1000 })
  const missed = new AbortController()
  const looks = new Worker(LOOK_ALL_THE_TIME, { eval: true, workerData: join(directory, 'audit.jsonl') })
  t.after(() => looks.terminate())
  looks.once('message', () => missed.abort())
  await once(looks, 'online')
  for (let n = 0; n < 50 && !missed.signal.aborted; n++) await record(20)
  await audit.close()
  assert.deepEqual([missed.signal.aborted, lines], [false, []])
})

const LOOK_ALL_THE_TIME = `
const { parentPort, workerData } = require('node:worker_threads')
const { existsSync } = require('node:fs')
const look = () => {
  for (let n = 0; n < 1000; n++) if (!existsSync(workerData)) return parentPort.postMessage('missing')
  setImmediate(look)
}
look()`

test('a trail whose directory was moved away is gone on with there; that of an agent in its place is its own', async () => {
  const directory = newDirectory()
  const moved = `${directory}.old`
  const old = await openTrail(directory, { maxBytes: 1000 })
  await old.record(2)
  renameSync(directory, moved)
  mkdirSync(directory)
  const fresh = await openTrail(directory, { maxBytes: 1000 })
  for (let n = 0; n < 20; n++) {
    await Promise.all([old.record(1), fresh.record(1)])
    await new Promise(resolve => setTimeout(resolve, 5)) // It looks meanwhile.
  }
  await old.audit.close()
  await fresh.audit.close()
  assert.deepEqual([old.lines, fresh.lines], [[], []])
  assert.deepEqual(await summary(moved), [1, 22, undefined])
  const { first, lines, fault } = await verifyAudit(directory)
  assert.deepEqual([first, fault], [1, undefined])
  assert.ok(lines > 20, 'it was rotated')
})

test('when its directory was deleted nothing is recorded, whoever has another in its place', async () => {
  for (const isReplaced of [false, true]) {
    const directory = newDirectory()
    const { audit, lines, record } = await openTrail(directory)
    await record(2)
    rmSync(directory, { recursive: true })
    if (isReplaced) mkdirSync(directory)
    await waitFor('it is noticed', () => !audit.isWritable())
    await assert.rejects(record(1), { code: 'not-recorded' })
    if (isReplaced) assert.deepEqual(readdirSync(directory), [])
    await audit.close()
    assert.equal(lines[0]!.message, 'THE AUDIT TRAIL CANNOT BE WRITTEN')
  }
})

/** Replaces a method of all files. */
const mockFiles = async (
  t: TestContext,
  method: 'write' | 'datasync',
  implementation: () => Promise<never>,
) => {
  await using file = await open('/dev/null')
  return t.mock.method(Object.getPrototypeOf(file) as typeof file, method, implementation)
}

test('the head is never ahead of what the disk has of the lines, for the time when power is lost', async t => {
  const directory = newDirectory()
  const { audit, lines, record } = await openTrail(directory)
  await record(1)
  await waitFor('the head is written', () => read(directory, 'audit.head').includes('"seq":1,'))
  const { mock } = await mockFiles(t, 'datasync', () => Promise.reject(new Error('the disk does not answer')))
  await record(1)
  await waitFor('it is tried', () => lines.length > 0)
  assert.equal(lines[0]!.message, 'audit.head cannot be written')
  assert.match(read(directory, 'audit.head'), /"seq":1,/)
  mock.restore()
  await record(1)
  await audit.close()
  assert.match(read(directory, 'audit.head'), /"seq":3,/)
})

test('while the disk does not answer nobody is waited for long, and what waits has a bound', async t => {
  const directory = newDirectory()
  const { audit, lines } = await openTrail(directory)
  const answer = Promise.withResolvers<never>()
  const { mock } = await mockFiles(t, 'write', () => answer.promise)
  await audit.record({ action: 'authenticate', outcome: 'token-wrong' }) // It comes back.
  const waiting = Array.from({ length: 10_000 }, () => audit.recordOrFail(LINE).then(() => 'written'))
  const refused = await Promise.any(waiting.slice(-5000).map(one => one.then(assert.fail, error => error)))
  assert.equal(refused.code, 'not-recorded')
  assert.equal(audit.isWritable(), false)
  mock.restore()
  answer.reject(new Error('the disk has gone'))
  const outcomes = await Promise.allSettled(waiting)
  const written = outcomes.filter(({ status }) => status === 'fulfilled').length
  assert.ok(written > 1000 && written < 9000, `${written}`)
  await waitFor('what was lost is told, though nobody asks', () =>
    read(directory, 'audit.jsonl').includes('"outcome":"not-recorded","count":1,'),
  )
  await audit.close()
  assert.equal(lines.length, 1)
  const { lines: kept, fault } = await verifyAudit(directory)
  assert.deepEqual([kept, fault], [written + 1, undefined]) // And the one that says what was lost.
})
