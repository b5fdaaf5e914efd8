import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createNotifier } from '../../lib/notifier.ts'

test('everybody who waits is told of the next change, once', async () => {
  const { changed, notify } = createNotifier()
  let told = 0
  for (let count = 0; count < 200; count++) void changed().then(() => told++)
  await setImmediate()
  assert.equal(told, 0)
  notify()
  await setImmediate()
  assert.equal(told, 200)
  notify()
  await setImmediate()
  assert.equal(told, 200)
})

test('who asks after a change waits for the next one', async () => {
  const { changed, notify } = createNotifier()
  notify()
  let told = false
  const waiting = changed().then(() => {
    told = true
  })
  await setImmediate()
  assert.equal(told, false)
  notify()
  await waiting
})

test('a change between asking and waiting is not missed', async () => {
  const { changed, notify } = createNotifier()
  const change = changed()
  notify()
  notify()
  await change
})

test('who asks while others are being told waits for the next change', async () => {
  const { changed, notify } = createNotifier()
  let turns = 0
  const wait = (): void => void changed().then(() => ++turns < 100 && wait())
  wait()
  notify()
  await setImmediate()
  assert.equal(turns, 1)
})
