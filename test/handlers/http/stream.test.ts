import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPace } from '../../../handlers/http/pace.ts'
import { streamOf } from '../../../handlers/http/stream.ts'
import { settled } from '../deadline.ts'

const NEVER = new AbortController().signal
const PIECE = new Uint8Array([1])

const endless = {
  *pieces(): Generator<Uint8Array> {
    for (;;) yield PIECE
  },
}

/** A body with how often its end was told. */
const open = (source: Parameters<typeof streamOf>[0], signal = NEVER, isAllowed = () => true) => {
  const told = { ends: 0 }
  const stream = streamOf(source, { signal, pace: createPace(), isAllowed }, () => {
    told.ends++
  })
  return { reader: stream.getReader(), told }
}

test('a reader that takes all that it can get lets others have the event loop', async () => {
  const { reader } = open(endless.pieces)
  let turned = false
  setImmediate(() => {
    turned = true
  })
  let pieces = 0
  for (; !turned && pieces < 10_000; pieces++) await reader.read()
  assert.ok(pieces < 10_000)
  await reader.cancel()
})

test('the end is told once: after the last piece, an error, a cancel, or when the request is aborted', async () => {
  const whole = open(() => [PIECE])
  assert.equal((await whole.reader.read()).done, false)
  assert.equal(whole.told.ends, 0)
  assert.equal((await whole.reader.read()).done, true)
  assert.equal(whole.told.ends, 1)

  const failing = open(function* () {
    yield PIECE
    throw new Error('broken')
  })
  await failing.reader.read()
  await assert.rejects(failing.reader.read(), /broken/)
  assert.equal(failing.told.ends, 1)

  const canceled = open(endless.pieces)
  await canceled.reader.cancel()
  assert.equal(canceled.told.ends, 1)

  const gone = new AbortController()
  const aborted = open(endless.pieces, gone.signal)
  gone.abort()
  assert.equal(aborted.told.ends, 1)
  await aborted.reader.cancel()
  await settled()
  assert.equal(aborted.told.ends, 1)

  assert.equal(open(endless.pieces, gone.signal).told.ends, 1)
})

test('one who may not read it any more gets no piece that is made from then on, and cannot take it for whole', async () => {
  let isAllowed = true
  let returned = 0
  const source = async function* () {
    try {
      for (;;) yield PIECE
    } finally {
      returned++
    }
  }
  const { reader, told } = open(source, NEVER, () => isAllowed)
  assert.equal((await reader.read()).value, PIECE)
  isAllowed = false
  await assert.rejects(reader.read(), /may not read/)
  await assert.rejects(reader.read(), /may not read/)
  assert.deepEqual([returned, told.ends], [1, 1])
})
