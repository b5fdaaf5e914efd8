import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { OutputStream } from '../../../../lib/process/types.ts'
import type { Chunk, OutputStore } from '../../../../lib/store/output-store.ts'
import { createOutputStore } from '../../../../lib/store/sqlite/outputs.ts'
import {
  anyPieces,
  bytesOf,
  chunksOf as chunksOfBytes,
  type Piece,
  STREAMS,
} from '../../../support/chunks.ts'
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
        assert.deepEqual(readSteps(store, job, stream), expected)
        const backwards = [...store.readBackwards(job, stream)].toReversed()
        assert.deepEqual(Buffer.concat(backwards), bytesOf(chunks, stream))
        assert.equal(store.size(job, stream), bytesOf(chunks, stream).length)
      }
    }),
  )
})

/** All chunks, step by step. */
const readSteps = (store: OutputStore, job: number, stream?: OutputStream): Chunk[] => {
  const all: Chunk[] = []
  for (let some = store.readSome(job, 0, stream); some.length > 0; ) {
    all.push(...some)
    some = store.readSome(job, some.at(-1)!.seq, stream)
  }
  return all
}

test('a step of a reader has 64 KiB and 256 chunks at most, and none when there are no more', () => {
  const store = createOutputStore(scratchDatabase())
  const tiny = Array.from(
    { length: 600 },
    (_, at): Piece => [at % 2 ? 'stderr' : 'stdout', Uint8Array.of(at)],
  )
  const large = Array.from(
    { length: 9 },
    (_, at): Piece => [at % 2 ? 'stderr' : 'stdout', Buffer.alloc(20_000)],
  )
  const chunks = chunksOfBytes([...tiny, ...large])
  store.append(1, chunks)
  for (const stream of STREAMS) {
    let seq = 0
    for (let some = store.readSome(1, 0, stream); some.length > 0; some = store.readSome(1, seq, stream)) {
      assert.ok(some.length <= 256)
      assert.ok(bytesOf(some).length <= 1 << 16)
      seq = some.at(-1)!.seq
    }
    assert.equal(seq, stream === 'stderr' ? 608 : 609)
    assert.deepEqual(store.readSome(1, seq, stream), [])
  }
  assert.deepEqual(store.readSome(2, 0), [])
})

test('single bytes that alternate between the streams cost a few bytes each, whenever they are stored', () => {
  for (const batch of [1, 2, 100, 4000]) {
    const database = scratchDatabase()
    const store = createOutputStore(database)
    const chunks = chunksOfBytes(
      Array.from({ length: 4000 }, (_, at): Piece => [at % 2 ? 'stderr' : 'stdout', Uint8Array.of(at)]),
    )
    for (let at = 0; at < chunks.length; at += batch) store.append(1, chunks.slice(at, at + batch))
    const { rows } = database.prepare('SELECT count(*) AS rows FROM outputs').get() as { rows: number }
    assert.ok(rows <= 4000 / 100, `${rows} rows of batches of ${batch}`)
    assert.ok(store.storedBytes(1) <= 4000 * 5, `${store.storedBytes(1)} bytes of batches of ${batch}`)
    assert.deepEqual([...store.read(1)], chunks)
    assert.deepEqual([...store.read(1, 1999)], chunks.slice(1999))
  }
})

test('the cost of an output has a constant for each of its rows, besides its bytes and runs', () => {
  const store = createOutputStore(scratchDatabase())
  assert.equal(store.storedBytes(1), 0)
  store.append(1, chunksOf([['stdout', 'ten bytes.']]))
  assert.equal(store.storedBytes(1), 110)
  store.append(2, SOME)
  assert.ok(store.storedBytes(2) > 120 && store.storedBytes(2) < 150)
})

test('chunks with a gap, a leap of streams or an earlier time between them are given back exactly', () => {
  const store = createOutputStore(scratchDatabase())
  const [first, second] = chunksOf([
    ['stdout', 'ab'],
    ['stderr', 'c'],
  ]) as [Chunk, Chunk]
  const variants: Partial<Chunk>[] = [
    { seq: 5 },
    { position: 7 },
    { streamPosition: 3 },
    { time: first.time - 1 },
    { time: first.time + 2 ** 40 },
    { stream: 'stdout' },
    { stream: 'stdout', streamPosition: 2 },
  ]
  for (const [index, given] of variants.entries()) {
    const chunks = [first, { ...second, ...given }]
    store.append(2 * index, chunks)
    for (const chunk of chunks) store.append(2 * index + 1, [chunk])
    assert.deepEqual([...store.read(2 * index)], chunks)
    assert.deepEqual([...store.read(2 * index + 1)], chunks)
  }
})

test('a piece that was located is read also when newer chunks have joined it, and not when it was cut', () => {
  const store = createOutputStore(scratchDatabase())
  const chunks = chunksOf([
    ['stdout', 'abc'],
    ['stderr', 'X'],
    ['stdout', 'def'],
    ['stderr', 'Y'],
  ])
  store.append(1, chunks.slice(0, 2))
  const located = STREAMS.map(stream => store.locateRange(1, 0, 10, stream)[0]!)
  const texts = () =>
    STREAMS.map((stream, index) => {
      const bytes = store.bytesOf(1, located[index]!, stream)
      return bytes && Buffer.from(bytes).toString()
    })
  store.append(1, chunks.slice(2))
  assert.deepEqual(texts(), ['abcX', 'abc', 'X'])
  store.append(1, [], { fromSeq: 1, position: 1 })
  assert.deepEqual(texts(), [undefined, undefined, undefined])
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
        const parts = store.locateRange(job, start, end, stream).map(piece => {
          const { offset, length } = piece
          const bytes = store.bytesOf(job, piece, stream)!
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

test('a range of one stream has no pieces of the other', () => {
  const store = createOutputStore(scratchDatabase())
  const sizes = [40_000, 50_000, 60_000, 65_536]
  store.append(
    1,
    chunksOfBytes(sizes.map((size, at): Piece => [at % 2 ? 'stderr' : 'stdout', Buffer.alloc(size)])),
  )
  const lengths = (stream?: OutputStream) => store.locateRange(1, 0, 1e6, stream).map(({ length }) => length)
  assert.deepEqual(lengths(), sizes)
  assert.deepEqual(lengths('stdout'), [40_000, 60_000])
  assert.deepEqual(lengths('stderr'), [50_000, 65_536])
})

test('a range at or after the end has no chunks', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME)
  assert.deepEqual(
    [store.locateRange(1, 20, 21), store.locateRange(2, 0, 1), store.locateRange(1, 3, 3)],
    [[], [], []],
  )
  assert.deepEqual([store.lastSeq(1), store.lastSeq(2)], [4, 0])
})

test('offsets count what is kept, sizes too, and the end of a chunk counts all that was written', () => {
  const store = createOutputStore(scratchDatabase())
  store.append(1, SOME)
  store.append(1, [], { fromSeq: 2, position: 16 })
  assert.deepEqual([store.size(1), store.size(1, 'stdout'), store.size(1, 'stderr')], [10, 9, 1])
  assert.deepEqual(store.locateRange(1, 6, 7), [{ seq: 3, position: 16, offset: 6, length: 4 }])
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map(seq => store.endOf(1, seq)),
    [undefined, 6, undefined, 19, 20, undefined],
  )
})
