import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JobEvent } from '../../../../lib/client/types.ts'
import { createOutput, type Output, type StreamName } from '../../../../runtime/console/output/output.ts'
import { createSearch, type Hit, type Search } from '../../../../runtime/console/output/search.ts'
import { chunk, outputOf } from './feed-output.ts'

const searched = (output: Output, query: string): Search => {
  const search = createSearch(output, query)
  while (search.step()) {}
  return search
}

/** All hits, by going from one to the next. */
const walk = (search: Search, shown: 'both' | StreamName = 'both'): Hit[] => {
  const hits: Hit[] = []
  for (let place = { row: -1, position: -1 }; hits.length < search.count(shown); ) {
    const hit = search.next(shown, place)!
    hits.push(hit)
    place = hit
  }
  return hits
}

test('a text is found without regard to case, in both streams, in the order of the rows', async () => {
  const output = await outputOf([
    chunk('stdout', 'Error one\nfine\n'),
    chunk('stderr', 'an ERROR\n'),
    chunk('stdout', 'error, error'),
  ])
  const search = searched(output, 'error')
  assert.deepEqual([search.count('both'), search.count('stdout'), search.count('stderr')], [4, 3, 1])
  assert.deepEqual(
    walk(search).map(({ stream, row, position }) => `${stream} ${row} ${position}`),
    ['stdout 0 0', 'stderr 2 3', 'stdout 3 15', 'stdout 3 22'],
  )
})

test('behind the last hit comes the first, and before the first the last', async () => {
  const search = searched(await outputOf([chunk('stdout', 'a b a\n'), chunk('stderr', 'a')]), 'a')
  const [first, second, third] = walk(search)
  assert.deepEqual(search.next('both', third!), first)
  assert.deepEqual(search.previous('both', first!), third)
  assert.deepEqual(search.previous('both', third!), second)
  assert.deepEqual(search.next('stderr', third!), third)
  assert.deepEqual(
    [first, second, third].map(hit => search.ordinal('both', hit!)),
    [1, 2, 3],
  )
})

test('from a row that is seen the next hit is the first in it or behind it', async () => {
  const search = searched(await outputOf([chunk('stdout', 'x\nx\nx\n')]), 'x')
  assert.equal(search.next('both', { row: 1, position: -1 })?.row, 1)
  assert.equal(search.previous('both', { row: 1, position: -1 })?.row, 0)
})

test('colours in the middle of a text do not hide it, and escapes are not found', async () => {
  const output = await outputOf([chunk('stdout', 'fo\x1b[31mo\x1b[0m\n')])
  assert.equal(searched(output, 'foo').count('both'), 1)
  assert.equal(searched(output, '31').count('both'), 0)
})

test('a text is found where a long line was cut into rows', async () => {
  const output = await outputOf([chunk('stdout', `${'-'.repeat(4094)}needle`)])
  assert.deepEqual(walk(searched(output, 'needle')), [{ stream: 'stdout', row: 0, position: 4094 }])
})

test('what has a meaning in a regular expression is looked for as it is', async () => {
  const output = await outputOf([chunk('stdout', 'a.b [x] (y) \\d $ ^ a|b {2} * + ? / -\naxb')])
  for (const query of ['a.b', '[x]', '(y)', '\\d', '$', '^', 'a|b', '{2}', '*', '+', '?', '/', '-']) {
    assert.equal(searched(output, query).count('both'), 1, query)
  }
})

test('upper and lower case have the same length, so that hits are as long as what is looked for', () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const lower = String.fromCodePoint(code)
    for (const other of [lower.toLowerCase(), lower.toUpperCase()]) {
      if (other.length === lower.length) continue
      assert.doesNotMatch(other, new RegExp(`^${lower.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')}$`, 'iu'))
    }
  }
})

test('hits in a text that a CR has replaced are gone, and those of the new one are there', async () => {
  const output = await outputOf([chunk('stdout', 'tick\ntick 1')])
  const search = searched(output, 'tick')
  await output.feed(chunk('stdout', '\rtock 2'))
  while (search.step()) {}
  assert.equal(search.count('both'), 1)
  await output.feed(chunk('stdout', '\rtick tick\nti'))
  while (search.step()) {}
  await output.feed(chunk('stdout', 'ck'))
  while (search.step()) {}
  assert.equal(search.count('both'), 4)
})

test('hits are those of the whole text, however it comes and whenever one looks', async () => {
  const content = fc.constantFrom(
    'a',
    'b',
    'A',
    'aa',
    'ab',
    '\n',
    '\r',
    '\x1b[1m',
    'a'.repeat(4095),
    'b'.repeat(20_000),
  )
  const event = fc.record({
    stream: fc.constantFrom<StreamName>('stdout', 'stderr'),
    content,
    steps: fc.nat(2),
  })
  const query = fc.constantFrom('a', 'aa', 'ab', 'aba', 'ba')
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), query, async (events, query) => {
      const output = createOutput()
      const search = createSearch(output, query)
      for (const { stream, content, steps } of events) {
        await output.feed(chunk(stream, content) as JobEvent)
        for (let step = 0; step < steps; step++) search.step()
      }
      while (search.step()) {}
      for (const stream of ['stdout', 'stderr'] as const) {
        const { log } = output.rows[stream]
        const text = log.slice(0, log.length).toLowerCase()
        const expected = [...text.matchAll(new RegExp(query, 'g'))].map(match => match.index)
        assert.deepEqual(search.hitsBetween(stream, 0, text.length), expected)
        assert.deepEqual(search.count(stream), expected.length)
      }
      const hits = search.count('both') > 500 ? [] : walk(search)
      assert.deepEqual(
        hits,
        [...hits].sort((a, b) => a.row - b.row || a.position - b.position),
      )
    }),
    { numRuns: 150 },
  )
})
