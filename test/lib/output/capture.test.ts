import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Capture, createCapture } from '../../../lib/output/capture.ts'
import type { Chunk, Superseded } from '../../../lib/store/output-store.ts'
import { createOutputStore } from '../../../lib/store/sqlite/outputs.ts'
import {
  anyEvents,
  type CaptureEvent,
  keptPositions,
  memoryStore,
  play,
} from '../../support/capture-model.ts'
import { type FakeTime, fakeTime } from '../../support/fake-time.ts'
import { scratchDatabase } from '../../support/scratch-database.ts'

type Append = (chunks: Chunk[], superseded?: Superseded) => number

const newCapture = (
  limit: number,
  append: Append,
  onError = (error: unknown): void => assert.fail(String(error)),
) => createCapture({ limit, append, now: () => 1, onError })

/** Exactly the first half, rounded up, and the newest half. */
const checkExact = (limit: number, events: CaptureEvent[], time: FakeTime, append: Append) => {
  const capture = newCapture(limit, append)
  const written = play(capture, events, time)
  capture.end()
  const total = written.streams.length
  const expected = Array.from({ length: total }, (_, position) => position).filter(
    position => position < Math.ceil(limit / 2) || position >= total - Math.floor(limit / 2),
  )
  const stderrBytes = written.streams.filter(stream => stream === 'stderr').length
  assert.deepEqual(capture.totals(), {
    stdoutBytes: total - stderrBytes,
    stderrBytes,
    keptBytes: expected.length,
  })
  assert.equal(droppedOf(capture), total - expected.length)
  return { written, expected }
}

const droppedOf = (capture: Capture): number => {
  const { stdoutBytes, stderrBytes, keptBytes } = capture.totals()
  return stdoutBytes + stderrBytes - keptBytes
}

test('exactly the first half and the newest half are kept, whatever is written and whenever it is stored', t => {
  const time = fakeTime(t)
  fc.assert(
    fc.property(fc.nat(300), anyEvents(200), (limit, events) => {
      const store = memoryStore()
      const { written, expected } = checkExact(limit, events, time, store.append)
      assert.deepEqual(keptPositions(store.read(), written), expected)
    }),
    { numRuns: 1000 },
  )
})

test('the same holds for sizes around those of a chunk and of a batch', t => {
  const time = fakeTime(t)
  const limits = fc.oneof(
    fc.nat(3 << 20),
    fc.constantFrom(1 << 16, 1 << 17, (1 << 17) + 1, 1 << 21, (1 << 21) - 1),
  )
  fc.assert(
    fc.property(limits, anyEvents(200_000, 24), (limit, events) => {
      const store = memoryStore()
      const { written, expected } = checkExact(limit, events, time, store.append)
      assert.deepEqual(keptPositions(store.read(), written), expected)
      assert.ok(store.read().every(({ bytes }) => bytes.length <= 1 << 16))
    }),
    { numRuns: 15 },
  )
})

test('the same holds in the real store', t => {
  const time = fakeTime(t)
  const store = createOutputStore(scratchDatabase())
  let job = 0
  fc.assert(
    fc.property(fc.nat(300), anyEvents(200), (limit, events) => {
      job++
      const append: Append = (chunks, superseded) => store.append(job, chunks, superseded)
      const { written, expected } = checkExact(limit, events, time, append)
      assert.deepEqual(keptPositions([...store.read(job)], written), expected)
    }),
  )
})

test('with a store that fails now and then nothing is stored twice and every count stays true', t => {
  const time = fakeTime(t)
  const failures = fc.array(fc.boolean(), { maxLength: 30 })
  fc.assert(
    fc.property(fc.nat(300), anyEvents(200), failures, (limit, events, fails) => {
      const store = memoryStore()
      let calls = 0
      let errors = 0
      const append: Append = (chunks, superseded) => {
        if (fails[calls++]) throw new Error('disk full')
        return store.append(chunks, superseded)
      }
      const capture = newCapture(limit, append, () => errors++)
      const written = play(capture, events, time)
      capture.end()
      const kept = keptPositions(store.read(), written).length
      const { stdoutBytes, stderrBytes, keptBytes } = capture.totals()
      assert.equal(stdoutBytes, written.streams.filter(stream => stream === 'stdout').length)
      assert.equal(stdoutBytes + stderrBytes, written.streams.length)
      assert.equal(keptBytes, kept)
      assert.equal(droppedOf(capture), written.streams.length - kept)
      // A failure is told once until the store works again.
      const begun = fails.slice(0, calls).filter((failed, index, all) => failed && !all[index - 1])
      assert.equal(errors, begun.length)
    }),
    { numRuns: 1000 },
  )
})

test('a store that failed is not given more than the limit when it works again', t => {
  const time = fakeTime(t)
  const store = memoryStore()
  let full = true
  const append: Append = (chunks, superseded) => {
    if (full) throw new Error('disk full')
    return store.append(chunks, superseded)
  }
  const capture = newCapture(100, append, () => {})
  capture.write('stdout', Buffer.alloc(80))
  capture.write('stdout', Buffer.alloc(500))
  full = false
  time.pass(1000)
  capture.end()
  assert.ok(capture.totals().keptBytes <= 100, `${capture.totals().keptBytes} bytes are kept`)
})

test('what a failed write left behind is stored by a later try of its own', t => {
  const time = fakeTime(t)
  const store = memoryStore()
  const errors: unknown[] = []
  let full = true
  const append: Append = (chunks, superseded) => {
    if (full) throw new Error('disk full')
    return store.append(chunks, superseded)
  }
  const capture = newCapture(100, append, error => errors.push(error))
  capture.write('stdout', Buffer.from('kept'))
  assert.equal(errors.length, 1)
  full = false
  time.pass(250)
  assert.deepEqual(
    store.read().map(({ bytes }) => Buffer.from(bytes).toString()),
    ['kept'],
  )
  capture.end()
})

test('what cannot be stored at the end counts as dropped', t => {
  fakeTime(t)
  const capture = newCapture(
    100,
    () => {
      throw new Error('disk full')
    },
    () => {},
  )
  capture.write('stderr', Buffer.alloc(30))
  capture.end()
  assert.deepEqual(capture.totals(), { stdoutBytes: 0, stderrBytes: 30, keptBytes: 0 })
  assert.equal(droppedOf(capture), 30)
})

test('the first bytes after a pause are stored at once, what follows soon after, in one piece', t => {
  const time = fakeTime(t)
  const store = memoryStore()
  const capture = newCapture(1000, store.append)
  const texts = () => store.read().map(({ bytes }) => Buffer.from(bytes).toString())
  capture.write('stdout', Buffer.from('one'))
  assert.deepEqual(texts(), ['one'])
  capture.write('stdout', Buffer.from('two'))
  capture.write('stdout', Buffer.from('three'))
  assert.deepEqual(texts(), ['one'])
  time.pass(10)
  assert.deepEqual(texts(), ['one', 'twothree'])
  time.pass(10)
  capture.write('stdout', Buffer.from('four'))
  assert.deepEqual(texts(), ['one', 'twothree', 'four'])
  capture.end()
})

test('under load the newest half is written no more often than every 250 ms, and what is superseded before is never written', t => {
  const time = fakeTime(t)
  const store = memoryStore()
  const tailWrites: number[] = []
  let stored = 0
  const capture = newCapture(200_000, (chunks, superseded) => {
    if (chunks.some(({ position }) => position >= 100_000)) tailWrites.push(performance.now())
    stored += chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
    return store.append(chunks, superseded)
  })
  for (let turn = 0; turn < 2000; turn++) {
    capture.write('stdout', Buffer.alloc(70_000))
    time.pass(1)
  }
  for (const [index, at] of tailWrites.entries()) {
    assert.ok(index === 0 || at - tailWrites[index - 1]! >= 250, `${tailWrites}`)
  }
  assert.ok(tailWrites.length >= 7)
  assert.ok(stored <= 100_000 + tailWrites.length * 100_000)
  capture.end()
})

test('a line in the newest half is stored within 10 ms when there is no load', t => {
  const time = fakeTime(t)
  const store = memoryStore()
  const capture = newCapture(100, store.append)
  capture.write('stdout', Buffer.alloc(200, 'x'))
  for (let turn = 0; turn < 20; turn++) {
    time.pass(100)
    capture.write('stdout', Buffer.from(`${turn}\n`))
    time.pass(10)
    assert.ok(
      Buffer.concat(store.read().map(({ bytes }) => bytes))
        .toString()
        .endsWith(`${turn}\n`),
    )
  }
  capture.end()
})

test('readers who ask for the newest have it stored, but not more often than every 50 ms', t => {
  const time = fakeTime(t)
  let writes = 0
  const store = memoryStore()
  const capture = newCapture(200_000, (chunks, superseded) => {
    writes++
    return store.append(chunks, superseded)
  })
  capture.write('stdout', Buffer.alloc(150_000))
  capture.refresh()
  writes = 0
  for (let ms = 0; ms < 200; ms++) {
    capture.write('stdout', Buffer.alloc(70_000)) // A flood, which is stored every 250 ms.
    capture.refresh()
    time.pass(1)
  }
  assert.equal(writes, 3)
  capture.end()
})

test('streams that take turns byte by byte come out in order', t => {
  fakeTime(t)
  const store = memoryStore()
  const capture = newCapture(1 << 20, store.append)
  for (let count = 0; count < 10_000; count++) {
    capture.write(count % 2 === 0 ? 'stdout' : 'stderr', Uint8Array.of(count % 251))
  }
  capture.end()
  assert.equal(store.read().length, 10_000)
  assert.ok(
    store.read().every(({ bytes, position }, index) => position === index && bytes[0] === index % 251),
  )
})

test('a chunk has the time at which its first byte was written', t => {
  fakeTime(t)
  const store = memoryStore()
  let now = 0
  const capture = createCapture({ limit: 100, append: store.append, now: () => ++now, onError: assert.fail })
  for (const stream of ['stdout', 'stderr', 'stderr', 'stdout'] as const)
    capture.write(stream, Uint8Array.of(1))
  capture.end()
  assert.deepEqual(
    store.read().map(({ time, bytes }) => [time, bytes.length]),
    [
      [1, 1],
      [2, 2],
      [3, 1],
    ],
  )
})

test('what comes after the end is neither stored nor counted, and starts no timer', t => {
  const time = fakeTime(t)
  const store = memoryStore()
  const capture = newCapture(100, store.append)
  capture.write('stdout', Buffer.from('before'))
  capture.end()
  capture.write('stdout', Buffer.from('after'))
  capture.write('stderr', Buffer.alloc(500))
  time.pass(1000)
  assert.deepEqual(
    store.read().map(({ bytes }) => Buffer.from(bytes).toString()),
    ['before'],
  )
  assert.deepEqual(capture.totals(), { stdoutBytes: 6, stderrBytes: 0, keptBytes: 6 })
})

test('an overflow is told exactly when more than the limit was written, once, and in the write that does it', t => {
  const time = fakeTime(t)
  fc.assert(
    fc.property(fc.nat(300), anyEvents(120), (limit, events) => {
      const store = memoryStore()
      const toldAt: number[] = []
      let total = 0
      const capture = createCapture({
        ...{ limit, append: store.append, now: () => 1, onError: assert.fail },
        onOverflow: () => toldAt.push(total),
      })
      const crossed: number[] = []
      for (const event of events) {
        const before = total
        if ('write' in event) total += event.size
        play(capture, [event], time)
        if (before <= limit && total > limit) crossed.push(total)
        assert.deepEqual(toldAt, crossed)
      }
      capture.end()
      assert.deepEqual(toldAt, crossed)
    }),
    { numRuns: 500 },
  )
})

for (const limit of [0, 1, 2, 3, 1000, 1001]) {
  test(`a limit of ${limit} overflows with the byte after it, whichever stream that is in`, t => {
    fakeTime(t)
    let told = 0
    const capture = createCapture({
      ...{ limit, append: memoryStore().append, now: () => 1, onError: assert.fail },
      onOverflow: () => told++,
    })
    capture.write('stdout', Buffer.alloc(limit))
    capture.flush()
    assert.equal(told, 0)
    capture.write('stderr', Buffer.alloc(1))
    assert.equal(told, 1)
    capture.write('stdout', Buffer.alloc(limit + 1))
    capture.end()
    capture.write('stdout', Buffer.alloc(limit + 1))
    assert.equal(told, 1)
  })
}

test('whoever is told that chunks were stored finds them in the store, and is told of nothing else', t => {
  const time = fakeTime(t)
  fc.assert(
    fc.property(
      fc.nat(300),
      anyEvents(200),
      fc.array(fc.boolean(), { maxLength: 10 }),
      (limit, events, fails) => {
        const store = memoryStore()
        let calls = 0
        let stored = 0
        let told = 0
        const capture = createCapture({
          limit,
          append(chunks, superseded) {
            if (fails[calls++]) throw new Error('disk full')
            stored++
            return store.append(chunks, superseded)
          },
          now: () => 1,
          onStored: () => assert.equal(++told, stored),
          onError: () => {},
        })
        play(capture, events, time)
        capture.end()
        assert.equal(told, stored)
      },
    ),
  )
})

test('the first chunk after a pause is stored and told at once', t => {
  const time = fakeTime(t)
  const store = memoryStore()
  let told = 0
  const capture = createCapture({
    ...{ limit: 1000, append: store.append, now: () => 1, onError: assert.fail },
    onStored: () => told++,
  })
  for (let turn = 1; turn <= 3; turn++) {
    capture.write('stdout', Buffer.from('x'))
    assert.deepEqual([told, store.read().length], [turn, turn])
    time.pass(300)
  }
  capture.end()
})

test('while the store fails, single bytes of both streams cost neither a try each nor memory without end', t => {
  fakeTime(t)
  const store = memoryStore()
  let tries = 0
  let mostChunks = 0
  let isFailing = true
  const append: Append = (chunks, superseded) => {
    tries++
    mostChunks = Math.max(mostChunks, chunks.length)
    if (isFailing) throw new Error('disk full')
    return store.append(chunks, superseded)
  }
  const capture = newCapture(1 << 20, append, () => {})
  const BYTES = 100_000
  for (let index = 0; index < BYTES; index++) capture.write(index % 2 ? 'stdout' : 'stderr', Uint8Array.of(1))
  assert.ok(tries <= 1, `${tries} tries`)
  isFailing = false
  capture.end()
  assert.ok(mostChunks <= 40_000, `${mostChunks} chunks`)
  const { stdoutBytes, stderrBytes, keptBytes } = capture.totals()
  assert.deepEqual([stdoutBytes, stderrBytes], [BYTES / 2, BYTES / 2])
  const kept = store.read().reduce((sum, { bytes }) => sum + bytes.length, 0)
  assert.equal(keptBytes, kept)
  assert.ok(kept > 10_000, `${kept} bytes kept`)
})
