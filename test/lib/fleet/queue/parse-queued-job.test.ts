import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { claimed, died, runEnded, startedAs } from '../../../../lib/fleet/queue/changes.ts'
import { parseQueuedJob } from '../../../../lib/fleet/queue/parse-queued-job.ts'
import { AT, endOf, waitingJob } from './sample.ts'

const running = startedAs(claimed(waitingJob(), 'db1', AT)!, 1, 'a'.repeat(32))!
const RECORDS: object[] = [
  waitingJob(),
  running,
  runEnded(running, 1, endOf())!,
  died(running, 'refused', AT, 'forbidden')!,
]

test('records of every state are read', () => {
  for (const record of RECORDS) assert.deepEqual(parseQueuedJob(JSON.stringify(record)), record)
})

test('a record in which any field is of another kind is none', () => {
  const others = fc.oneof(
    fc.constantFrom(
      undefined,
      '',
      '\u001b[2J',
      -1,
      1.5,
      1e300,
      [],
      {},
      [null],
      '2027-13-45T08:00:00.000Z',
      '../x',
    ),
    fc.object(),
  )
  const target = fc.constantFrom(...RECORDS).chain(record => {
    const paths = [...pathsOf(record)]
    return fc.tuple(fc.constant(record), fc.constantFrom(...paths), others)
  })
  fc.assert(
    fc.property(target, ([record, path, value]) => {
      const changed = withValue(record, path, value)
      const parsed = parseQueuedJob(JSON.stringify(changed))
      if (!parsed) return
      // A text may be any text where it is shown to people; who shows it makes it harmless.
      assert.ok(
        ['summary', 'fingerprint', 'content', 'error'].includes(path.at(-1)!) || isSameKind(value, path),
        `${path.join('.')} ${JSON.stringify(value)}`,
      )
    }),
    { numRuns: 2000 },
  )
})

test('what is no JSON, or more than any record has, is none', () => {
  assert.equal(parseQueuedJob('{'), undefined)
  assert.equal(parseQueuedJob('null'), undefined)
  assert.equal(parseQueuedJob(JSON.stringify({ ...waitingJob(), more: 'x'.repeat(300_000) })), undefined)
  assert.equal(
    parseQueuedJob(JSON.stringify({ ...running, runs: Array(21).fill(running.runs[0]) })),
    undefined,
  )
})

test('an end names a run that has one', () => {
  assert.equal(parseQueuedJob(JSON.stringify({ ...running, state: 'ended', by: 1 })), undefined)
  assert.equal(parseQueuedJob(JSON.stringify({ ...running, state: 'ended', by: 2 })), undefined)
})

/** "" is a word, a signal and an error; an exit code is any number; a list of runs may be empty. */
const isSameKind = (value: unknown, path: string[]): boolean =>
  value === '' ||
  (path.at(-1) === 'exitCode' && value === -1) ||
  (path.at(-1) === 'runs' && Array.isArray(value) && value.length === 0)

function* pathsOf(value: object, path: string[] = []): Generator<string[]> {
  for (const [name, one] of Object.entries(value)) {
    yield [...path, name]
    if (typeof one === 'object' && one !== null) yield* pathsOf(one, [...path, name])
  }
}

const withValue = (record: object, [first = '', ...rest]: string[], value: unknown): object => {
  const copy = structuredClone(record) as Record<string, unknown>
  copy[first] = rest.length === 0 ? value : withValue(copy[first] as object, rest, value)
  return copy
}
