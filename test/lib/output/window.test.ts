import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createWindow } from '../../../lib/output/window.ts'
import { anyStream, keptPositions, memoryStore, type Written } from '../../support/capture-model.ts'

type Window = ReturnType<typeof createWindow>

/** As a capture does it. */
const store = (window: Window, target: ReturnType<typeof memoryStore>): void => {
  if (window.waitingSegments() === 0) return
  const pending = window.pending()
  window.stored(pending, target.append(pending.chunks, pending.superseded))
}

const anySteps = fc.array(fc.record({ stream: anyStream, size: fc.nat(150), stores: fc.boolean() }), {
  maxLength: 30,
})

test('exactly the first half, rounded up, and the newest half are kept, whenever they are stored', () => {
  fc.assert(
    fc.property(fc.nat(300), anySteps, (limit, steps) => {
      let time = 0
      const window = createWindow(limit, () => ++time)
      const target = memoryStore()
      const pieces: Buffer[] = []
      const written: Written = { bytes: Buffer.alloc(0), streams: [], streamPositions: [] }
      const next = { stdout: 0, stderr: 0 }
      for (const { stream, size, stores } of steps) {
        const bytes = Buffer.from(
          Array.from({ length: size }, (_, at) => (written.streams.length + at) % 251),
        )
        for (let at = 0; at < size; at++) {
          written.streams.push(stream)
          written.streamPositions.push(next[stream]++)
        }
        pieces.push(bytes)
        const [head, tail] = window.split(bytes)
        if (head.length > 0) window.add(stream, head)
        if (tail.length > 0 && window.isHeadWaiting()) store(window, target)
        if (tail.length > 0) window.add(stream, tail)
        if (stores) store(window, target)
      }
      store(window, target)
      window.close()
      written.bytes = Buffer.concat(pieces)
      const total = written.bytes.length
      const expected = Array.from({ length: total }, (_, position) => position).filter(
        position => position < Math.ceil(limit / 2) || position >= total - Math.floor(limit / 2),
      )
      assert.deepEqual(keptPositions(target.read(), written), expected)
      const { stdoutBytes, stderrBytes, keptBytes } = window.totals()
      assert.deepEqual(
        [stdoutBytes + stderrBytes, stdoutBytes, keptBytes],
        [total, next.stdout, expected.length],
      )
      assert.equal(window.isOverLimit(), total > limit)
    }),
    { numRuns: 1000 },
  )
})

test('no more waits in memory than the newest half, once the first is stored', () => {
  const window = createWindow(1000, () => 1)
  window.add('stdout', Buffer.alloc(500))
  window.stored(window.pending(), 0)
  for (let count = 0; count < 20; count++) {
    window.add(count % 2 ? 'stderr' : 'stdout', Buffer.alloc(300))
    assert.ok(window.waitingBytes() <= 500)
  }
  assert.equal(
    window.pending().chunks.reduce((sum, { bytes }) => sum + bytes.length, 0),
    500,
  )
  assert.equal(window.totals().keptBytes, 1000)
})

test('the two halves never share a chunk, and what is superseded begins with the second', () => {
  const window = createWindow(10, () => 1)
  const [head, tail] = window.split(Buffer.from('0123456789'))
  window.add('stdout', head)
  window.add('stdout', tail)
  const first = window.pending()
  assert.deepEqual(
    first.chunks.map(({ seq, position, bytes }) => [seq, position, Buffer.from(bytes).toString()]),
    [
      [1, 0, '01234'],
      [2, 5, '56789'],
    ],
  )
  assert.equal(first.superseded, undefined)
  window.stored(first, 0)
  window.add('stdout', Buffer.from('abc'))
  assert.deepEqual(window.pending().superseded, { fromSeq: 2, position: 8 })
})

test('what is pending stays pending until it is stored, and counts as dropped when it never is', () => {
  const window = createWindow(10, () => 1)
  window.add('stderr', Buffer.from('abc'))
  assert.deepEqual(window.pending(), window.pending())
  assert.deepEqual(window.totals(), { stdoutBytes: 0, stderrBytes: 3, keptBytes: 3 })
  window.close()
  assert.deepEqual(window.totals(), { stdoutBytes: 0, stderrBytes: 3, keptBytes: 0 })
})

test('a chunk is of 64 KiB at most', () => {
  const window = createWindow(1 << 20, () => 1)
  window.add('stdout', Buffer.alloc(200_000))
  assert.deepEqual(
    window.pending().chunks.map(({ bytes }) => bytes.length),
    [65_536, 65_536, 65_536, 3392],
  )
})
