import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Msg } from '@nats-io/nats-core'
import { WIRE } from '../../../lib/fleet/wire.ts'
import type { InboxListener } from '../../../runtime/nats/inbox.ts'
import { createUpload } from '../../../runtime/nats/upload.ts'
import { settled, withDeadline } from '../../handlers/deadline.ts'

/** A body of so many bytes, whose pieces a test sends by hand. */
const setUp = (bytes: number, silenceMs = 60_000) => {
  const asked: number[] = []
  const stop = new AbortController()
  let listener: InboxListener | undefined
  const upload = createUpload({
    bytes,
    silenceMs,
    answer: {
      id: 'a',
      signal: stop.signal,
      publish(kind, fields, { reply } = {}) {
        assert.deepEqual([kind, reply], ['continue', `inbox.au.${fields?.[WIRE.received]}`])
        asked.push(Number(fields?.[WIRE.received]))
        return true
      },
    } as Parameters<typeof createUpload>[0]['answer'],
    inbox: {
      subjectOf: (token, rest) => `inbox.${token}.${rest}`,
      listen: (_token, found) => {
        listener = found
      },
      forget: () => {
        listener = undefined
      },
      update() {},
      close() {},
    },
  })
  return {
    upload: upload.stream,
    asked,
    stop,
    isListening: () => listener !== undefined,
    /** A piece, as the answer to what was asked for at this place. */
    send: (at: number | string, text: string) =>
      listener?.({ data: new TextEncoder().encode(text) } as Msg, String(at)),
  }
}

const textOf = (body: ReadableStream<Uint8Array>) => withDeadline(new Response(body).text(), 'body')

test('each piece is asked for when it is read, and the body is what was said', async () => {
  const { upload, asked, send, isListening } = setUp(6)
  await settled()
  assert.deepEqual(asked, [])
  const text = textOf(upload)
  await settled()
  assert.deepEqual(asked, [0])
  send(0, 'abcd')
  await settled()
  assert.deepEqual(asked, [0, 4])
  send(4, 'ef')
  assert.equal(await text, 'abcdef')
  assert.deepEqual([asked, isListening()], [[0, 4], false])
})

test('a piece that comes twice counts once', async () => {
  const { upload, asked, send } = setUp(6)
  const text = textOf(upload)
  await settled()
  send(0, 'abc')
  send(0, 'xyz')
  await settled()
  assert.deepEqual(asked, [0, 3])
  // The engine, or the sender, has it a second time when the next one is due.
  send(0, 'abc')
  await settled()
  assert.deepEqual(asked, [0, 3])
  send(3, 'def')
  assert.equal(await text, 'abcdef')
})

test('a piece of another place is none of this one', async () => {
  const { upload, send } = setUp(3)
  const text = textOf(upload)
  await settled()
  for (const at of [3, 1, -1, '', '00', '0.0', ' 0']) send(at, 'xyz')
  await settled()
  send(0, 'abc')
  assert.equal(await text, 'abc')
})

test('an empty piece, and more than was said, break the body', async () => {
  for (const wrong of ['', 'abcd']) {
    const { upload, send, isListening } = setUp(3)
    const broken = assert.rejects(textOf(upload), Error)
    await settled()
    send(0, wrong)
    await broken
    assert.equal(isListening(), false, wrong)
  }
})

test('a piece that does not come breaks the body, and so does one that comes for nobody', async () => {
  const silent = setUp(3, 20)
  await assert.rejects(textOf(silent.upload), /broken off/)
  assert.equal(silent.isListening(), false)
  const given = setUp(3)
  const broken = assert.rejects(textOf(given.upload), /broken off/)
  await settled()
  given.stop.abort()
  given.send(0, 'abc')
  await broken
})

test('who reads it no more listens no more', async () => {
  const { upload, isListening } = setUp(3)
  const reader = upload.getReader()
  void reader.read().catch(() => {})
  await settled()
  assert.equal(isListening(), true)
  await reader.cancel()
  assert.equal(isListening(), false)
})
