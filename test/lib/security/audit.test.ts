import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAudit } from '../../../lib/security/audit.ts'
import { verifyAudit } from '../../../lib/security/audit-verify.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { waitFor } from '../../support/wait-for.ts'

const scratch = scratchDirectory()
const newDirectory = (): string => mkdtempSync(join(scratch, 'audit-'))

interface Options {
  maxBytes?: number
  intervalMs?: number
  keepFiles?: number
}

const open = async (directory: string, options: Options = {}) => {
  const { log, lines } = recordingLog()
  const audit = await openAudit({ directory, log, ...options })
  return { audit, lines }
}

const trail = (directory: string): string => join(directory, 'audit.jsonl')
const linesOf = (directory: string): string[] =>
  readFileSync(trail(directory), 'utf8').split('\n').slice(0, -1)
const entriesOf = (directory: string) => linesOf(directory).map(line => JSON.parse(line))
const write = (directory: string, lines: string[]): void =>
  writeFileSync(trail(directory), `${lines.join('\n')}\n`)

/** A closed trail of so many lines. */
const trailOf = async (count: number): Promise<string> => {
  const directory = newDirectory()
  const { audit } = await open(directory)
  for (let n = 1; n <= count; n++) await audit.record({ action: 'submit', outcome: `number ${n}` })
  await audit.close()
  return directory
}

const faultOf = async (directory: string): Promise<string> => {
  const { fault } = await verifyAudit(directory)
  return fault ? `${fault.file}:${fault.line}: ${fault.message}` : 'none'
}

test('each line says what was done, when, and holds the hash of the one before', async () => {
  const directory = newDirectory()
  const { audit } = await open(directory)
  await audit.record({
    action: 'submit',
    outcome: 'accepted',
    caller: 'alice',
    client: '192.0.2.1',
    job: 'x',
  })
  await audit.record({ action: 'cancel', outcome: 'done', caller: undefined })
  const [first, second] = entriesOf(directory)
  const { time, ...rest } = first
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000)
  assert.deepEqual(rest, {
    seq: 1,
    action: 'submit',
    outcome: 'accepted',
    caller: 'alice',
    client: '192.0.2.1',
    job: 'x',
    prev: '0'.repeat(64),
  })
  assert.deepEqual(Object.keys(second), ['seq', 'time', 'action', 'outcome', 'prev'])
  assert.match(second.prev, /^[0-9a-f]{64}$/)
  for (const file of readdirSync(directory)) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600)
  await audit.close()
  assert.deepEqual(await verifyAudit(directory), { files: 1, lines: 2, first: 1, last: 2, fault: undefined })
})

test('what is recorded at the same time is all there, in one chain, which the next agent goes on with', async () => {
  const directory = newDirectory()
  for (let life = 0; life < 3; life++) {
    const { audit, lines } = await open(directory)
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => audit.recordOrFail({ action: 'a', outcome: String(n) })),
    )
    await audit.close()
    assert.deepEqual(lines, [])
  }
  assert.deepEqual(await verifyAudit(directory), {
    files: 1,
    lines: 600,
    first: 1,
    last: 600,
    fault: undefined,
  })
})

test('a trail is rotated by size, the chain goes on, and the oldest files go', async () => {
  const directory = newDirectory()
  const { audit } = await open(directory, { maxBytes: 1000, keepFiles: 2 })
  for (let n = 0; n < 50; n++) await audit.record({ action: 'submit', outcome: 'accepted', job: String(n) })
  await audit.close()
  assert.equal(readdirSync(directory).length, 4) // Two full ones, the current one, the head.
  const { files, first, last, lines, fault } = await verifyAudit(directory)
  assert.deepEqual([files, fault], [3, undefined])
  assert.ok(first > 1 && lines === last - first + 1)
  const { audit: again } = await open(directory)
  await again.record({ action: 'submit', outcome: 'accepted' })
  await again.close()
  assert.equal((await verifyAudit(directory)).last, last + 1)
})

test('a line that was changed, removed, added or swapped is found, and where', async () => {
  const change: [string, (lines: string[]) => string[], RegExp][] = [
    ['nothing', lines => lines, /^none$/],
    ['changed', ([a, b, ...c]) => [a!, b!.replace('number 2', 'number 9'), ...c], /:3: line 2 was changed$/],
    [
      'last changed',
      lines => [...lines.slice(0, -1), lines.at(-1)!.replace('5', '9')],
      /line 5 was changed|:5:/,
    ],
    ['removed', ([a, , ...c]) => [a!, ...c], /:2: the lines from 2 to 2 were removed$/],
    ['first removed', ([, ...b]) => b, /:1: lines before 2 were removed$/],
    ['swapped', ([a, b, c, ...d]) => [a!, c!, b!, ...d], /:2: the lines from 2 to 2 were removed$/],
    ['twice', ([a, b, ...c]) => [a!, b!, b!, ...c], /:3: line 2 is not in its place$/],
    ['last removed', lines => lines.slice(0, -1), /:5: the lines from 5 to 5 were removed$/],
    ['garbage', ([a, ...b]) => [a!, 'garbage', ...b], /:2: this is no line of the trail$/],
    ['added', lines => [...lines, lines.at(-1)!], /:6: line 5 is not in its place$/],
    ['a carriage return', ([a, ...b]) => [`${a}\r`, ...b], /:2: line 1 was changed$/],
    ['all removed', () => [], /:1: (the lines from 1 to 5 were removed|this is no line of the trail)$/],
  ]
  for (const [name, changed, expected] of change) {
    const directory = await trailOf(5)
    write(directory, changed(linesOf(directory)))
    assert.match(await faultOf(directory), expected, name)
  }
})

test('a trail that was cut, or taken away, is found also after an agent has gone on with it', async () => {
  for (const cut of [
    (directory: string) => write(directory, linesOf(directory).slice(0, 3)),
    (directory: string) => rmSync(trail(directory)),
    (directory: string) => truncateSync(trail(directory)),
  ]) {
    const directory = await trailOf(5)
    cut(directory)
    const { audit, lines } = await open(directory)
    assert.match(lines[0]!.message, /NOT AS THE AGENT HAS LEFT IT/)
    await audit.record({ action: 'submit', outcome: 'accepted' })
    await audit.close()
    assert.match(await faultOf(directory), /were removed$/)
    assert.deepEqual(
      entriesOf(directory)
        .slice(-2)
        .map(({ seq, action, outcome }) => [seq, action, outcome]),
      [
        [6, 'audit', 'broken'],
        [7, 'submit', 'accepted'],
      ],
    )
  }
})

test('files that are taken away from a running agent are begun anew, and the gap is found', async () => {
  for (const name of ['audit.jsonl', 'audit.head']) {
    const directory = newDirectory()
    const { audit, lines } = await open(directory, { intervalMs: 5 })
    for (let n = 0; n < 3; n++) await audit.record({ action: 'submit', outcome: 'accepted' })
    rmSync(join(directory, name))
    await waitFor('it is told', () => lines.length > 0)
    await waitFor(
      'it is written',
      () => existsSync(trail(directory)) && entriesOf(directory).at(-1)!.outcome === 'broken',
    )
    await audit.record({ action: 'submit', outcome: 'accepted' })
    await audit.close()
    assert.equal(entriesOf(directory).at(-1)!.seq, 5)
    assert.match(
      await faultOf(directory),
      name === 'audit.head'
        ? /the agent has found: the files were removed or replaced/
        : /lines before 4 were removed/,
    )
  }
})

test('half a line that a killed agent has left is cut off, and nothing is wrong', async () => {
  const directory = await trailOf(3)
  appendFileSync(trail(directory), '{"seq":4,"ti')
  assert.equal(await faultOf(directory), 'none')
  const { audit, lines } = await open(directory)
  await audit.record({ action: 'submit', outcome: 'accepted' })
  await audit.close()
  assert.deepEqual([lines, await faultOf(directory)], [[], 'none'])
  assert.equal(entriesOf(directory).at(-1)!.seq, 4)
})

test('a line that was written when its agent was killed before the head was is no fault', async () => {
  const directory = await trailOf(3)
  const head = readFileSync(join(directory, 'audit.head'), 'utf8')
  const { audit } = await open(directory)
  await audit.record({ action: 'submit', outcome: 'accepted' })
  await audit.close()
  writeFileSync(join(directory, 'audit.head'), head)
  assert.equal(await faultOf(directory), 'none')
  const next = await open(directory)
  await next.audit.close()
  assert.deepEqual(next.lines, [])
})

const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0

test('a disk that is full in the middle of a line leaves no half line, and what was lost is told', {
  skip: !canMount && 'nobody may mount here',
}, async t => {
  const directory = newDirectory()
  const mount = (...options: string[]) => assert.equal(spawnSync('mount', options).status, 0)
  mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory)
  t.after(() => spawnSync('umount', [directory]))
  const { audit, lines } = await open(directory, { intervalMs: 5 })
  const detail = 'x'.repeat(3000)
  for (let n = 0; n < 30; n++) await audit.record({ action: 'submit', outcome: 'accepted', detail })
  assert.equal(audit.isWritable(), false)
  assert.ok(lines.length > 0)
  assert.equal(readFileSync(trail(directory), 'utf8').at(-1), '\n')
  assert.equal(await faultOf(directory), 'none')
  mount('-o', 'remount,size=1m', directory)
  await waitFor('what was lost is told', () => audit.isWritable())
  const { outcome, count } = entriesOf(directory).at(-1)!
  assert.deepEqual([outcome, count], ['not-recorded', 30 - (entriesOf(directory).length - 1)])
  await audit.close()
  assert.equal(await faultOf(directory), 'none')
})

test('it does not open where it cannot be written', async () => {
  await assert.rejects(open('/proc/nowhere'), /ENOENT/)
})
