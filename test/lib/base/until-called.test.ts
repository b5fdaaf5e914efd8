import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { untilCalled } from '../../../lib/base/until-called.ts'
import { createNotifier } from '../../../lib/output/notifier.ts'

const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

/** A notifier that counts who waits. */
const counted = () => {
  const notifier = createNotifier()
  let waiting = 0
  const subscribe = (tell: () => void) => {
    waiting++
    const forget = notifier.wait(tell)
    return () => {
      waiting--
      forget()
    }
  }
  return { subscribe, notify: notifier.notify, waiting: () => waiting }
}

test('a call, an abort and the time each end the wait, and leave no timer, no listener, no subscription', async () => {
  const before = timers()
  const { subscribe, notify, waiting } = counted()
  const { signal, abort } = ((controller: AbortController) => ({
    signal: controller.signal,
    abort: () => controller.abort(),
  }))(new AbortController())
  const called = untilCalled(subscribe, { ms: 1e6, signal })
  notify()
  assert.equal(await called, true)
  assert.equal(await untilCalled(subscribe, { ms: 1, signal }), false)
  const aborted = untilCalled(subscribe, { ms: 1e6, signal })
  assert.deepEqual([getEventListeners(signal, 'abort').length, waiting()], [1, 1])
  abort()
  assert.equal(await aborted, true)
  assert.equal(await untilCalled(subscribe, { signal }), true)
  assert.deepEqual([getEventListeners(signal, 'abort').length, waiting(), timers()], [0, 0, before])
})
