import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from '../../../lib/base/within.ts'

const LONG_MS = 20_000
const never = (): Promise<string> => new Promise(() => {})
const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

test('what a promise resolves with is the result', async () => {
  assert.equal(await within(Promise.resolve('done'), LONG_MS), 'done')
})

test('a rejection is passed on', async () => {
  await assert.rejects(within(Promise.reject(new Error('broken')), LONG_MS), /^Error: broken$/)
})

test('the result is undefined when the time is up first, and not earlier', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let result: string | undefined = 'waiting'
  const waited = within(never(), 1000).then(value => {
    result = value
  })
  t.mock.timers.tick(999)
  await new Promise(setImmediate)
  assert.equal(result, 'waiting')
  t.mock.timers.tick(1)
  await waited
  assert.equal(result, undefined)
})

test('no timer is left behind, however it ended', async () => {
  const before = timers()
  await within(Promise.resolve(), LONG_MS)
  await within(Promise.reject(new Error('broken')), LONG_MS).catch(() => {})
  assert.equal(timers(), before)
  const waiting = within(Promise.resolve(), LONG_MS)
  assert.equal(timers(), before + 1)
  await waiting
})

test('a promise that rejects after the time was up troubles nobody', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { promise, reject } = Promise.withResolvers<string>()
  const waited = within(promise, 10)
  t.mock.timers.tick(10)
  assert.equal(await waited, undefined)
  reject(new Error('too late')) // An unhandled rejection would fail this test.
  await new Promise(setImmediate)
})
