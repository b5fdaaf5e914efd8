import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Msg } from '@nats-io/nats-core'
import { WIRE } from '../../../lib/fleet/wire.ts'
import type { InboxListener } from '../../../runtime/nats/inbox.ts'
import { createUpload, type UploadOptions } from '../../../runtime/nats/upload.ts'
import { waitFor } from '../../support/wait-for.ts'

/** An upload whose pieces are handed in by the test. */
const begin = (options: Partial<UploadOptions> = {}) => {
  const listeners = new Map<string, InboxListener>()
  let asked = 0
  const upload = createUpload({
    bytes: 100,
    answer: { id: 'a', publish: () => void asked++, signal: new AbortController().signal },
    inbox: {
      subjectOf: (token, rest) => `${token}.${rest}`,
      listen: (token, listener) => void listeners.set(token, listener),
      forget: token => void listeners.delete(token),
      update() {},
      close() {},
    },
    silenceMs: 60_000,
    ...options,
  })
  const piece = (bytes: number, at: number): void =>
    listeners.get('au')?.({ data: new Uint8Array(bytes) } as Msg, String(at))
  return { ...upload, listeners, piece, asked: () => asked }
}

test('a body of which a piece comes after its reader has gone leaves nothing behind', async () => {
  const upload = begin()
  const reader = upload.stream.getReader()
  // The reader that has this promise does not wait for it any more.
  const given = reader.read()
  await waitFor('a piece is asked for', () => upload.asked() === 1)
  upload.piece(50, 0)
  await given
  upload.close()
  assert.equal(upload.listeners.size, 0)
  await assert.rejects(reader.read(), /nobody reads the body/)
})

test('one that is waited for when it is closed ends at once', async () => {
  const upload = begin()
  const given = upload.stream.getReader().read()
  await waitFor('a piece is asked for', () => upload.asked() === 1)
  upload.close()
  await assert.rejects(given)
  assert.equal(upload.listeners.size, 0)
})

test('pieces that come in time, but without end, are no body', async () => {
  const upload = begin({
    bytes: 1_000_000,
    wholeMs: 20,
    answer: {
      id: 'a',
      signal: new AbortController().signal,
      // Each comes in the turn in which it is asked for.
      publish: (_kind, fields) => upload.piece(1, Number(fields[WIRE.received])),
    },
  })
  const reader = upload.stream.getReader()
  let received = 0
  const all = async () => {
    while (!(await reader.read()).done) received++
  }
  await assert.rejects(all(), /broken off/)
  assert.ok(received > 0)
  assert.equal(upload.listeners.size, 0)
})
