import assert from 'node:assert/strict'
import { setMaxListeners } from 'node:events'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import type { RunningJob } from '../../../lib/jobs/job.ts'
import { createCapture } from '../../../lib/output/capture.ts'
import { createNotifier, type Notifier } from '../../../lib/output/notifier.ts'
import { decodeOutput } from '../../../lib/output/text.ts'
import { createOutputView, type FollowOptions, type OutputView } from '../../../lib/output/view.ts'
import type { Chunk } from '../../../lib/store/output-store.ts'
import { createJobStore } from '../../../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../../../lib/store/sqlite/outputs.ts'
import { anyPieces, bytesOf, chunksOf, type Piece, STREAMS } from '../../support/chunks.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'
import { scratchDatabase } from '../../support/scratch-database.ts'

/** Views on jobs that have no process: a test writes for them, and ends them. */
const createViews = () => {
  const database = scratchDatabase()
  const jobStore = createJobStore(database)
  const outputStore = createOutputStore(database)
  const open = (job: RunningJob, number: number, running: () => Notifier | undefined): OutputView =>
    createOutputView(outputStore, {
      ...{ number, encoding: job.encoding, running },
      exists: () => jobStore.find(job.id) !== undefined,
    })

  return {
    ...{ outputStore, database },

    /** As retention does it. */
    remove(number: number): void {
      database.prepare('DELETE FROM outputs WHERE job = ?').run(number)
      for (const table of ['jobs', 'recent_jobs'])
        database.prepare(`DELETE FROM ${table} WHERE number = ?`).run(number)
    },

    /** A job that has ended, with this output. */
    ended(chunks: Chunk[], encoding = 'utf-8') {
      const job = runningJob({ encoding })
      const number = jobStore.insert(job, 1)
      outputStore.append(number, chunks)
      jobStore.finish(endOf(job), NO_OUTPUT, 0)
      return { number, view: open(job, number, () => undefined) }
    },

    running(limit = 1 << 20) {
      const job = runningJob()
      const number = jobStore.insert(job, 1)
      const changes = createNotifier()
      const capture = createCapture({
        limit,
        append: (chunks, superseded) => outputStore.append(number, chunks, superseded),
        now: () => 1,
        onStored: changes.notify,
        onError: assert.fail,
      })
      let isRunning = true
      return {
        ...{ number, capture, changes },
        view: open(job, number, () => (isRunning ? changes : undefined)),
        write([stream, bytes]: Piece): void {
          capture.write(stream, bytes)
          capture.flush()
        },
        end(): void {
          capture.end()
          jobStore.finish(endOf(job), capture.totals(), 0)
          isRunning = false
          changes.notify()
        },
      }
    },
  }
}

const collect = async (view: OutputView, options: Partial<FollowOptions> = {}): Promise<Chunk[]> => {
  const chunks: Chunk[] = []
  const { signal } = new AbortController()
  for await (const some of view.follow({ afterSeq: 0, signal, ...options })) chunks.push(...some)
  return chunks
}

const read = (view: OutputView, ...range: Parameters<OutputView['read']>): Buffer =>
  Buffer.concat([...view.read(...range)])

const text = (stream: 'stdout' | 'stderr', content: string): Piece => [
  stream,
  new Uint8Array(Buffer.from(content)),
]

/** Pieces too large to share a row of the store. */
const rowsOf = (letter: string, count: number): Piece[] =>
  Array.from({ length: count }, () => text('stdout', letter.repeat(PIECE)))

const PIECE = 40_000

test('any range of either stream or of both is what was written, byte for byte', () => {
  const { ended } = createViews()
  fc.assert(
    fc.property(anyPieces(), fc.nat(1600), fc.nat(1600), (pieces, one, other) => {
      const chunks = chunksOf(pieces)
      const { view } = ended(chunks)
      for (const stream of STREAMS) {
        const all = bytesOf(chunks, stream)
        assert.equal(view.size(stream), all.length)
        assert.deepEqual(read(view, 0, all.length, stream), all)
        const [start, end] = [one % (all.length + 1), other % (all.length + 1)].sort((a, b) => a - b)
        assert.deepEqual(read(view, start!, end!, stream), all.subarray(start, end))
      }
    }),
    { numRuns: 200 },
  )
})

test('every range of a small output is read, also over the borders of chunks', () => {
  const chunks = chunksOf([
    text('stdout', 'ab'),
    text('stderr', 'X'),
    text('stdout', 'cde'),
    text('stderr', 'YZ'),
  ])
  const { view } = createViews().ended(chunks)
  for (const stream of STREAMS) {
    const all = bytesOf(chunks, stream)
    for (let start = 0; start <= all.length; start++) {
      for (let end = start; end <= all.length; end++)
        assert.deepEqual(read(view, start, end, stream), all.subarray(start, end))
    }
  }
})

test('a range is read from more rows than are located in one turn', () => {
  const { ended, database } = createViews()
  const { view, number } = ended(
    chunksOf(
      Array.from({ length: 2100 }, (_, index) => text('stdout', String.fromCharCode(97 + (index % 26)))),
    ),
  )
  // As earlier schemas have them: a row for each chunk.
  database.prepare('DELETE FROM outputs WHERE job = ?').run(number)
  const insert = database.prepare(
    'INSERT INTO outputs (job, seq, stream, time, position, stream_position, bytes) VALUES (?, ?, 1, 1, ?, ?, ?)',
  )
  for (let at = 0; at < 2100; at++) insert.run(number, at + 1, at, at, Uint8Array.of(97 + (at % 26)))
  for (const start of [0, 999, 1000, 1001, 1999, 2000, 2099]) {
    assert.equal(read(view, start, start + 1).toString(), String.fromCharCode(97 + (start % 26)))
  }
})

test('reading begins at any offset of either stream, and says after which chunk to follow from there', () => {
  const { ended } = createViews()
  fc.assert(
    fc.property(anyPieces(), fc.nat(1600), (pieces, at) => {
      const chunks = chunksOf(pieces)
      const { view } = ended(chunks)
      for (const stream of STREAMS) {
        const ofStream = chunks.filter(chunk => stream === undefined || chunk.stream === stream)
        const size = bytesOf(ofStream).length
        const offset = at % (size + 1)
        const chunk = ofStream.find(({ position, streamPosition, bytes }) => {
          return (stream === undefined ? position : streamPosition) + bytes.length > offset
        })
        const expected = chunk
          ? { afterSeq: chunk.seq - 1, position: offset }
          : { afterSeq: chunks.length, position: 0 }
        assert.deepEqual(view.locate(offset, stream), expected)
      }
    }),
  )
})

test('where output is missing from the middle, the offsets are those of what is kept', () => {
  const job = createViews().running(20)
  job.write(text('stdout', '0123456789abcdefghijklmnopqrstuvwxyz'))
  assert.equal(job.view.size(), 20)
  assert.equal(read(job.view, 5, 15).toString(), '56789qrstu')
  assert.equal(job.view.tailStart(1), 0)
  job.end()
})

test('what was promised but removed meanwhile makes reading fail, rather than end early', () => {
  const { ended, database } = createViews()
  const { view, number } = ended(chunksOf(rowsOf('x', 40)))
  const reader = view.read(0, 40 * PIECE)[Symbol.iterator]()
  reader.next()
  database.prepare('DELETE FROM outputs WHERE job = ?').run(number)
  assert.throws(() => {
    while (!reader.next().done);
  }, /removed/)
  assert.throws(() => read(view, 0, 40 * PIECE), /removed/)
})

test('newer output is never given in the place of what was superseded while it was read', () => {
  const { ended, outputStore } = createViews()
  const all = chunksOf([...rowsOf('a', 40), ...rowsOf('b', 40)])
  const { view, number } = ended(all.slice(0, 40))
  const reader = view.read(0, 40 * PIECE)[Symbol.iterator]()
  const given: Uint8Array[] = [reader.next().value!]
  outputStore.append(number, all.slice(40), { fromSeq: 2, position: 40 * PIECE })
  assert.throws(() => {
    for (let next = reader.next(); !next.done; next = reader.next()) given.push(next.value)
  }, /removed/)
  const read = Buffer.concat(given)
  assert.ok(bytesOf(all.slice(0, 40)).subarray(0, read.length).equals(read))
})

test('a job that is removed while it is followed breaks off, rather than seeming to end', async () => {
  const { ended, remove } = createViews()
  const { view, number } = ended(chunksOf(rowsOf('x', 40)))
  const chunks = view.follow({ afterSeq: 0, signal: new AbortController().signal })[Symbol.asyncIterator]()
  assert.equal((await chunks.next()).done, false)
  remove(number)
  await assert.rejects(async () => {
    while (!(await chunks.next()).done);
  }, /removed/)
})

const textOf = (view: OutputView, stream: 'stdout' | 'stderr'): string =>
  [...view.snapshot().texts(stream)].join('')

test('a text whose job is removed while it is read breaks off, rather than seeming to end', () => {
  const { ended, remove } = createViews()
  const { number, view } = ended(
    chunksOf(Array.from({ length: 10 }, () => ['stdout', Buffer.alloc(65_536, 'x')])),
  )
  assert.equal(textOf(view, 'stdout'), 'x'.repeat(655_360))
  assert.throws(() => {
    for (const _ of view.snapshot().texts('stdout')) remove(number)
  }, /removed/)
})

test('a short output is owed once its snapshot is taken, also when its job is removed before it is read', () => {
  const { ended, remove } = createViews()
  const { number, view } = ended(chunksOf([text('stdout', 'out'), text('stderr', 'wrong')]))
  const snapshot = view.snapshot()
  remove(number)
  assert.equal([...snapshot.texts('stdout')].join(''), 'out')
  assert.equal([...snapshot.texts('stderr')].join(''), 'wrong')
  assert.equal(snapshot.deliveredBytes(), 8)
})

test('a snapshot gives all that was kept when it was taken, and nothing of what is written later', () => {
  const { running } = createViews()
  fc.assert(
    fc.property(anyPieces(), fc.nat(50), fc.nat(50), (pieces, before, between) => {
      const job = running()
      for (const piece of pieces.slice(0, before)) job.write(piece)
      const snapshot = job.view.snapshot()
      for (const piece of pieces.slice(before, before + between)) job.write(piece)
      const read = [...snapshot.texts('stdout')].join('')
      for (const piece of pieces.slice(before + between)) job.write(piece)
      job.end()
      const kept = chunksOf(pieces.slice(0, before))
      const expected = decodeOutput(kept)
      assert.equal(read, expected.stdout)
      assert.equal([...snapshot.texts('stderr')].join(''), expected.stderr)
      assert.equal(snapshot.deliveredBytes(), bytesOf(kept).length)
    }),
    { numRuns: 150 },
  )
})

// A row of the store holds 64 KiB: 65 of these, and a part of the next.
for (const writes of [1, 64, 65, 66, 67, 130, 199]) {
  test(`a snapshot of ${writes} writes ends with the last of them, also where later ones share its row`, () => {
    const job = createViews().running()
    const write = (n: number): void => job.write(['stdout', Buffer.from(`${n} `.padEnd(1000, '.'))])
    for (let n = 0; n < writes; n++) write(n)
    const snapshot = job.view.snapshot()
    for (let n = 0; n < 5; n++) write(writes + n)
    const read = [...snapshot.texts('stdout')].join('')
    assert.deepEqual([read.length, read.match(/\d+(?= )/g)?.at(-1)], [writes * 1000, String(writes - 1)])
  })
}

test('of a running job a snapshot leaves out what was superseded, and counts what it gave', () => {
  const job = createViews().running(1 << 20)
  const write = (letter: string, count: number) => job.write(text('stdout', letter.repeat(count)))
  write('a', 1 << 19)
  write('b', 1 << 18)
  write('c', 1 << 18)
  const snapshot = job.view.snapshot()
  const texts = snapshot.texts('stdout')[Symbol.iterator]()
  let read = texts.next().value!
  assert.equal(snapshot.deliveredBytes(), read.length)
  write('d', 300_000)
  for (let next = texts.next(); !next.done; next = texts.next()) read += next.value
  const kept = (1 << 20) - 300_000
  assert.equal(read, 'a'.repeat(1 << 19) + 'c'.repeat(kept - (1 << 19)))
  assert.equal(snapshot.deliveredBytes(), kept)
  job.end()
})

test('the pieces of a text are of 64 KiB at most, and reading stderr counts too', () => {
  const job = createViews().running()
  job.write(['stdout', Buffer.alloc(300_000, 'x')])
  job.write(['stderr', Buffer.alloc(100_000, 'y')])
  const snapshot = job.view.snapshot()
  const pieces = [...snapshot.texts('stdout'), ...snapshot.texts('stderr')]
  assert.ok(pieces.every(piece => piece.length <= 1 << 16))
  assert.equal(snapshot.deliveredBytes(), 400_000)
  job.end()
})

test('a text is decoded in the encoding of its job', () => {
  const { view } = createViews().ended(chunksOf([['stdout', Buffer.from('c4e3', 'hex')]]), 'gbk')
  assert.equal(textOf(view, 'stdout'), '你')
})

test('a job that takes the number of a removed one is never read in its place', () => {
  const { ended, remove } = createViews()
  const { view, number } = ended(chunksOf(rowsOf('a', 40)))
  const reader = view.read(0, 40 * PIECE)[Symbol.iterator]()
  reader.next()
  // As retention does before every new job.
  remove(number)
  ended(chunksOf(rowsOf('b', 40)))
  const given: string[] = []
  assert.throws(() => {
    for (let next = reader.next(); !next.done; next = reader.next())
      given.push(Buffer.from(next.value).toString())
  }, /removed/)
  assert.ok(!given.join('').includes('b'), "another job's output")
})

test('the last lines begin where a plain model says, for any text, chunks and number', () => {
  const { ended } = createViews()
  const lineBytes = fc
    .array(fc.constantFrom(10, 10, 13, 0, 97, 0xe4, 0xff), { minLength: 1, maxLength: 12 })
    .map(bytes => Uint8Array.from(bytes))
  fc.assert(
    fc.property(anyPieces(lineBytes), fc.integer({ min: 1, max: 40 }), (pieces, lines) => {
      const chunks = chunksOf(pieces)
      const { view } = ended(chunks)
      for (const stream of STREAMS) {
        const all = bytesOf(chunks, stream)
        const starts = [0]
        for (let at = 1; at < all.length; at++) if (all[at - 1] === 10) starts.push(at)
        assert.equal(view.tailStart(lines, stream), starts[Math.max(0, starts.length - lines)])
      }
    }),
    { numRuns: 300 },
  )
})

for (const [output, lines, expected] of [
  ['', 1, ''],
  ['\n', 1, '\n'],
  ['a', 1, 'a'],
  ['a\n', 1, 'a\n'],
  ['a\nb', 1, 'b'],
  ['a\nb\n', 1, 'b\n'],
  ['a\n\n', 1, '\n'],
  ['a\nb\nc\n', 2, 'b\nc\n'],
  ['a\nb\nc\n', 3, 'a\nb\nc\n'],
  ['a\nb\nc\n', 4, 'a\nb\nc\n'],
] as const) {
  test(`the last ${lines} lines of ${JSON.stringify(output)} are ${JSON.stringify(expected)}`, () => {
    const whole = chunksOf(output === '' ? [] : [text('stdout', output)])
    const single = chunksOf([...output].map(character => text('stdout', character)))
    for (const chunks of [whole, single]) {
      const { view } = createViews().ended(chunks)
      assert.equal(read(view, view.tailStart(lines), view.size()).toString(), expected)
    }
  })
}

test('a follower from any chunk on is given every later one once and in order, however they come', async () => {
  const { running } = createViews()
  await fc.assert(
    fc.asyncProperty(
      anyPieces(),
      fc.nat(55),
      fc.nat(50),
      fc.array(fc.boolean()),
      async (pieces, afterSeq, begun, pauses) => {
        const chunks = chunksOf(pieces)
        const job = running()
        for (const piece of pieces.slice(0, begun)) job.write(piece)
        const following = collect(job.view, { afterSeq })
        for (const [index, piece] of pieces.slice(begun).entries()) {
          if (pauses[index]) await setImmediate()
          job.write(piece)
        }
        if (pauses[0]) await setImmediate()
        job.end()
        const given = await following
        const seen = ({ seq, stream, position, streamPosition, bytes }: Chunk) => ({
          seq,
          stream,
          position,
          streamPosition,
          bytes: Buffer.from(bytes).toString('hex'),
        })
        assert.deepEqual(given.map(seen), chunks.slice(afterSeq).map(seen))
      },
    ),
    { numRuns: 150 },
  )
})

test('following up to a chunk gives no later one, and waits for nothing', async () => {
  const job = createViews().running()
  for (let line = 0; line < 70; line++) job.write(text('stdout', `${line}\n`))
  assert.equal(job.view.lastSeq(), 70)
  const seqs = async (untilSeq: number) => (await collect(job.view, { untilSeq })).map(({ seq }) => seq)
  for (const untilSeq of [0, 1, 69, 70]) {
    const expected = Array.from({ length: untilSeq }, (_, index) => index + 1)
    assert.deepEqual(await seqs(untilSeq), expected, String(untilSeq))
  }
  // One that is not there, for it is no longer kept.
  assert.equal((await seqs(71)).length, 70)
  job.end()
})

test('following a job that has ended gives what is kept, and ends', async () => {
  const chunks = chunksOf(Array.from({ length: 70 }, (_, index) => text('stderr', `${index}\n`)))
  const { view } = createViews().ended(chunks)
  assert.equal(view.isRunning(), false)
  assert.deepEqual(await collect(view), chunks)
  assert.deepEqual(await collect(view, { afterSeq: 69 }), chunks.slice(69))
  assert.deepEqual(await collect(view, { afterSeq: 70 }), [])
})

test('following ends with the job also when nothing was ever written', async () => {
  const job = createViews().running()
  const following = collect(job.view)
  await setImmediate()
  assert.equal(job.view.isRunning(), true)
  job.end()
  assert.deepEqual(await following, [])
  assert.equal(job.view.isRunning(), false)
})

test('following ends as soon as the reader has gone, before, between and while waiting', async () => {
  const job = createViews().running()
  job.write(text('stdout', 'a'))
  assert.deepEqual(await collect(job.view, { signal: AbortSignal.abort() }), [])

  const waiting = new AbortController()
  const following = collect(job.view, { signal: waiting.signal })
  await setImmediate()
  waiting.abort()
  assert.equal((await following).length, 1)

  const between = new AbortController()
  let turns = 0
  for await (const _ of job.view.follow({ afterSeq: 0, signal: between.signal })) {
    turns++
    between.abort()
  }
  assert.equal(turns, 1)
  job.end()
})

test('an idle job lets its follower know now and then that all is well, and loses nothing by it', async () => {
  const job = createViews().running()
  const turns: number[] = []
  const { signal } = new AbortController()
  for await (const chunks of job.view.follow({ afterSeq: 0, signal, idleMs: 2 })) {
    turns.push(chunks.length)
    if (turns.length === 3) job.write(text('stdout', 'a'))
    if (chunks.length > 0) job.end()
  }
  assert.deepEqual(turns, [0, 0, 0, 1])
})

test('a follower that leaves takes its timer and its listener with it', async t => {
  const job = createViews().running()
  const reader = new AbortController()
  const add = t.mock.method(reader.signal, 'addEventListener')
  const remove = t.mock.method(reader.signal, 'removeEventListener')
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  job.capture.flush()
  const before = timers()
  const following = collect(job.view, { signal: reader.signal, idleMs: 60_000 })
  await setImmediate()
  reader.abort()
  await following
  assert.equal(timers(), before)
  assert.equal(add.mock.callCount(), remove.mock.callCount())
  job.end()
})

test('waiting for a silent job does not cost more memory the longer it lasts', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const job = createViews().running()
  const readers = new AbortController()
  let ticks = 0
  const follow = async () => {
    for await (const _ of job.view.follow({ afterSeq: 0, signal: readers.signal, idleMs: 1 }))
      if (++ticks === 60_000) readers.abort()
  }
  setMaxListeners(0, readers.signal)
  const followers = Array.from({ length: 500 }, follow)
  while (ticks < 5000) await setImmediate()
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  while (ticks < 55_000) await setImmediate()
  collectGarbage()
  const growth = process.memoryUsage().heapUsed - before
  readers.abort()
  await Promise.all(followers)
  job.end()
  assert.ok(growth < 4e6, `${Math.round(growth / 50_000)} bytes stay of each wait`)
})

test('two hundred followers, from different chunks on, all see everything', async () => {
  const job = createViews().running()
  const followers = Array.from({ length: 200 }, (_, index) => collect(job.view, { afterSeq: index % 50 }))
  for (let count = 0; count < 60; count++) {
    job.write(text(count % 3 === 0 ? 'stderr' : 'stdout', `line ${count}\n`))
    if (count % 7 === 0) await setImmediate()
  }
  job.end()
  for (const [index, chunks] of (await Promise.all(followers)).entries()) {
    const first = (index % 50) + 1
    assert.deepEqual(
      chunks.map(({ seq }) => seq),
      Array.from({ length: 61 - first }, (_, offset) => first + offset),
    )
  }
})

test('a follower too slow for the newest half goes on with what is kept, and sees how much it missed', async () => {
  const job = createViews().running(20)
  const whole: Buffer[] = []
  const write = (content: string) => {
    whole.push(Buffer.from(content))
    job.write(text('stdout', content))
  }
  write('0123456789')
  const { signal } = new AbortController()
  const follower = job.view.follow({ afterSeq: 0, signal })[Symbol.asyncIterator]()
  const given: Chunk[] = (await follower.next()).value
  for (let count = 0; count < 30; count++) write(`<${count}>`)
  job.end()
  for (let next = await follower.next(); !next.done; next = await follower.next()) given.push(...next.value)
  const written = Buffer.concat(whole)
  let position = 0
  let missed = 0
  for (const chunk of given) {
    missed += chunk.position - position
    position = chunk.position + chunk.bytes.length
    assert.ok(written.subarray(chunk.position, position).equals(chunk.bytes))
  }
  assert.equal(position, written.length)
  assert.equal(missed, written.length - 20)
  assert.equal(job.view.endOf(given.at(-1)!.seq), written.length)
  assert.equal(job.view.endOf(given[0]!.seq), 10)
  assert.equal(job.view.endOf(given[0]!.seq + 1), undefined)
})
