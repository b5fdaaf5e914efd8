import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { OutputStream } from '../../../../lib/process/types.ts'
import type { Chunk } from '../../../../lib/store/output-store.ts'
import { createOutputStore } from '../../../../lib/store/sqlite/outputs.ts'
import { anyPieces, bytesOf, chunksOf as chunksOfBytes, STREAMS } from '../../../support/chunks.ts'
import { scratchDatabase } from '../../../support/scratch-database.ts'

type Written = [stream: OutputStream, text: string]

/** Chunks that follow each other without a gap, from the first seq on. */
const chunksOf = (written: Written[]): Chunk[] => {
  const next = { stdout: 0, stderr: 0 }
  let position = 0
  return written.map(([stream, text], index) => {
    const bytes = new Uint8Array(Buffer.from(text))
    const chunk = {
      seq: index + 1,
      stream,
      time: 1e15 + index,
      position,
      streamPosition: next[stream],
      bytes,
    }
    next[stream] += bytes.length
    position += bytes.length
    return chunk
  })
}

const SOME = chunksOf([
  ['stdout', 'hello '],
  ['stderr', 'wrong\0\xff'],
  ['stdout', 'world'],
  ['stderr', '!'],
])

test('chunks are read as they were appended, in one go or in several', () => {
  const store = createOutputStore(scratchDatabase())
  assert.equal(store.append(1, SOME), 0)
  for (const chunk of SOME) store.append(2, [chunk])
  assert.deepEqual([...store.read(1)], SOME)
  assert.deepEqual([...store.read(2)], SOME)
  assert.deepEqual([...store.read(3)], [])
})

test('a reader can go on after any chunk', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME)
  for (let seq = 0; seq <= SOME.length; seq++) assert.deepEqual([...store.read(1, seq)], SOME.slice(seq))
})

test('two readers at once do not disturb each other', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME)
  store.append(2, SOME.slice(0, 2))
  const [one, other, third] = [store.read(1), store.read(2), store.read(1)]
  const read: Chunk[][] = [[], [], []]
  for (let turn = 0; turn < 5; turn++) {
    for (const [index, reader] of [one, other, third].entries()) {
      const next = reader.next()
      if (!next.done) read[index]!.push(next.value)
    }
  }
  assert.deepEqual(read, [SOME, SOME.slice(0, 2), SOME])
})

test('a reader may stop in the middle, and writing goes on', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME.slice(0, 3))
  for (const chunk of store.read(1)) {
    assert.deepEqual(chunk, SOME[0])
    break
  }
  store.append(1, SOME.slice(3))
  assert.deepEqual([...store.read(1)], SOME)
})

test('chunks are appended all or not at all, and nothing is superseded when they are not', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME.slice(0, 2))
  const again = [SOME[2]!, SOME[1]!]
  assert.throws(() => store.append(1, again, { fromSeq: 1, position: 10 }), /UNIQUE/)
  assert.deepEqual([...store.read(1)], SOME.slice(0, 2))
  store.append(1, SOME.slice(2))
  assert.deepEqual([...store.read(1)], SOME)
})

test('superseded bytes go to the byte, from the chunk on that is named, and are counted', () => {
  const stream = fc.constantFrom('stdout' as const, 'stderr' as const)
  const written = fc.array(fc.tuple(stream, fc.string({ minLength: 1, maxLength: 9 })), {
    minLength: 1,
    maxLength: 8,
  })
  const store = createOutputStore(scratchDatabase())
  let job = 0
  fc.assert(
    fc.property(
      written,
      fc.integer({ min: 1, max: 9 }),
      fc.nat(80),
      fc.nat(80),
      (pieces, fromSeq, first, more) => {
        const chunks = chunksOf(pieces as Written[])
        job++
        store.append(job, chunks)
        let expected = chunks
        for (const position of [first, first + more]) {
          const before = expected.reduce((sum, { bytes }) => sum + bytes.length, 0)
          expected = expected.flatMap(chunk => {
            const gone = Math.max(0, position - chunk.position)
            if (chunk.seq < fromSeq || gone === 0) return [chunk]
            if (gone >= chunk.bytes.length) return []
            const bytes = chunk.bytes.slice(gone)
            const { position: at, streamPosition } = chunk
            return [{ ...chunk, position: at + gone, streamPosition: streamPosition + gone, bytes }]
          })
          const after = expected.reduce((sum, { bytes }) => sum + bytes.length, 0)
          assert.equal(store.append(job, [], { fromSeq, position }), before - after)
          assert.deepEqual([...store.read(job)], expected)
        }
      },
    ),
  )
})

test('what is superseded and what is new are changed together', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME.slice(0, 3))
  assert.equal(store.append(1, SOME.slice(3), { fromSeq: 2, position: SOME[3]!.position }), 13)
  assert.deepEqual([...store.read(1)], [SOME[0], SOME[3]])
})

test("the totals of a lost job's output come from its last chunks", () => {
  const store = createOutputStore(scratchDatabase())
  assert.deepEqual({ ...store.totals(1) }, { stdoutBytes: 0, stderrBytes: 0, keptBytes: 0 })
  store.append(1, SOME)
  store.append(2, SOME)
  assert.deepEqual({ ...store.totals(1) }, { stdoutBytes: 11, stderrBytes: 9, keptBytes: 20 })
  store.append(1, [], { fromSeq: 2, position: 15 })
  assert.deepEqual({ ...store.totals(1) }, { stdoutBytes: 11, stderrBytes: 9, keptBytes: 11 })
})

test('bytes of a stream that were all superseded still count as written', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME)
  const superseded = store.append(1, [], { fromSeq: 1, position: SOME[3]!.position })
  const { stdoutBytes, stderrBytes, keptBytes } = store.totals(1)
  assert.equal(keptBytes, 1)
  assert.equal(stdoutBytes + stderrBytes - keptBytes, superseded)
})

test('whatever the number of chunks, every way to read gives the same ones', () => {
  const store = createOutputStore(scratchDatabase())
  let job = 0
  fc.assert(
    fc.property(anyPieces(), fc.nat(55), (pieces, afterSeq) => {
      const chunks = chunksOfBytes(pieces)
      store.append(++job, chunks)
      assert.deepEqual([...store.read(job, afterSeq)], chunks.slice(afterSeq))
      for (const stream of STREAMS) {
        const expected = chunks.filter(chunk => stream === undefined || chunk.stream === stream)
        assert.deepEqual([...store.readBackwards(job, stream)], expected.toReversed())
        assert.equal(store.size(job, stream), bytesOf(chunks, stream).length)
      }
    }),
  )
})

test('a few chunks at a time are read, none when there are no more', () => {
  const store = createOutputStore(scratchDatabase())
  const chunks = chunksOf(Array.from({ length: 33 }, () => ['stdout', 'x']))
  store.append(1, chunks)
  const turns: number[] = []
  for (let seq = 0; seq < 33; seq += turns.at(-1)!) {
    const some = store.readSome(1, seq)
    assert.deepEqual(some, chunks.slice(seq, seq + some.length))
    turns.push(some.length)
  }
  assert.deepEqual(turns, [16, 16, 1])
  assert.deepEqual(store.readSome(1, 33), [])
  assert.deepEqual(store.readSome(2, 0), [])
})

test('a reader that has read all that was there when it began sees what came meanwhile', () => {
  const store = createOutputStore(scratchDatabase())
  const chunks = chunksOf(Array.from({ length: 40 }, () => ['stdout', 'x']))
  store.append(1, chunks.slice(0, 20))
  const read: Chunk[] = []
  for (const chunk of store.read(1)) {
    if (read.push(chunk) === 10) store.append(1, chunks.slice(20))
  }
  assert.deepEqual(read, chunks)
})

test('the chunks of a range are exactly those that hold its bytes', () => {
  const store = createOutputStore(scratchDatabase())
  let job = 0
  fc.assert(
    fc.property(anyPieces(), fc.nat(1600), fc.nat(1600), (pieces, one, other) => {
      const chunks = chunksOfBytes(pieces)
      store.append(++job, chunks)
      for (const stream of STREAMS) {
        const all = bytesOf(chunks, stream)
        const [start, end] = [Math.min(one, other), Math.max(one, other)]
        const parts = store.locateRange(job, start, end, stream).map(({ seq, offset, length }) => {
          const bytes = store.bytesOf(job, seq)!
          assert.equal(bytes.length, length)
          const part = bytes.subarray(Math.max(0, start - offset), Math.min(length, end - offset))
          assert.ok(part.length > 0)
          return part
        })
        assert.ok(Buffer.concat(parts).equals(all.subarray(start, end)))
      }
    }),
  )
})

test('a range at or after the end has no chunks', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME)
  assert.deepEqual(
    [store.locateRange(1, 20, 21), store.locateRange(2, 0, 1), store.locateRange(1, 3, 3)],
    [[], [], []],
  )
  assert.deepEqual([store.lastSeq(1), store.lastSeq(2), store.bytesOf(1, 99)], [4, 0, undefined])
})

test('offsets count what is kept, sizes too, and the end of a chunk counts all that was written', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME)
  store.append(1, [], { fromSeq: 2, position: 16 })
  assert.deepEqual([store.size(1), store.size(1, 'stdout'), store.size(1, 'stderr')], [10, 9, 1])
  assert.deepEqual(store.locateRange(1, 6, 7), [{ seq: 3, offset: 6, length: 3 }])
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map(seq => store.endOf(1, seq)),
    [undefined, 6, undefined, 19, 20, undefined],
  )
})
