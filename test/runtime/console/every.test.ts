import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { every } from '../../../runtime/console/every.ts'

test('what is done again and again leaves nothing behind on the signal, and ends with it', async () => {
  const over = new AbortController()
  const listeners: number[] = []
  const act = async (): Promise<void> => {
    listeners.push(getEventListeners(over.signal, 'abort').length)
    if (listeners.length === 20) over.abort()
  }
  await every(0, act, over.signal)
  assert.deepEqual(listeners, Array(20).fill(0))
})

test('the end of it does not wait for the pause to be over', async () => {
  const over = new AbortController()
  let rounds = 0
  const ended = every(2 ** 30, async () => rounds++, over.signal)
  setImmediate(() => over.abort())
  await ended
  assert.equal(rounds, 1)
})
