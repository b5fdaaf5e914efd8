import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNotifier } from '../../../lib/output/notifier.ts'

test('everybody who waits is told of the next change, once', () => {
  const { wait, notify } = createNotifier()
  let told = 0
  for (let count = 0; count < 200; count++) wait(() => told++)
  assert.equal(told, 0)
  notify()
  assert.equal(told, 200)
  notify()
  assert.equal(told, 200)
})

test('who no longer waits is not told', () => {
  const { wait, notify } = createNotifier()
  const told: string[] = []
  const forget = wait(() => told.push('gone'))
  wait(() => told.push('here'))
  forget()
  notify()
  forget()
  assert.deepEqual(told, ['here'])
})

test('who waits again while being told is told of the next change only', () => {
  const { wait, notify } = createNotifier()
  let turns = 0
  const again = (): void => {
    turns++
    wait(again)
  }
  wait(again)
  notify()
  assert.equal(turns, 1)
  notify()
  assert.equal(turns, 2)
})
