import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { whileVisible } from '../../../runtime/console/while-visible.ts'
import { fakePage } from './fake-page.ts'

const page = fakePage()

/** What was run, and how each of them ends. */
const watched = () => {
  const runs: { signal: AbortSignal; resolve(): void; reject(error: Error): void }[] = []
  const failures: unknown[] = []
  const end = whileVisible(
    signal => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      runs.push({ signal, resolve, reject })
      return promise
    },
    error => failures.push(error),
  )
  return { runs, failures, end }
}

/** What the rest of a promise does is done. */
const settled = () => new Promise(resolve => setImmediate(resolve))

/** Time passes by `tick` alone. */
const stopTime = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return (ms: number) => t.mock.timers.tick(ms)
}

test('it pauses when the page has been hidden for a while, and goes on when it is seen again', t => {
  const tick = stopTime(t)
  const { runs, end } = watched()
  page.hide(true)
  tick(9999)
  assert.equal(runs[0]!.signal.aborted, false)
  tick(1)
  assert.equal(runs[0]!.signal.aborted, true)
  assert.equal(runs.length, 1)
  page.hide(false)
  assert.equal(runs.length, 2)
  assert.equal(runs[1]!.signal.aborted, false)
  end()
})

test('who looks elsewhere for a moment misses nothing', t => {
  const tick = stopTime(t)
  const { runs, end } = watched()
  page.hide(true)
  tick(9999)
  page.hide(false)
  tick(60_000)
  assert.deepEqual([runs.length, runs[0]!.signal.aborted], [1, false])
  end()
})

test('what was paused goes on again, however it has ended', async t => {
  const tick = stopTime(t)
  for (const stop of ['resolve', 'reject'] as const) {
    const { runs, failures, end } = watched()
    page.hide(true)
    tick(10_000)
    runs[0]![stop](new Error('aborted'))
    await settled()
    page.hide(false)
    assert.equal(runs.length, 2, stop)
    assert.deepEqual(failures, [])
    end()
  }
})

test('what has ended by itself is not begun again; why it has failed is told', async t => {
  const tick = stopTime(t)
  for (const stop of ['resolve', 'reject'] as const) {
    const { runs, failures } = watched()
    const error = new Error('refused')
    runs[0]![stop](error)
    await settled()
    page.hide(true)
    tick(10_000)
    page.hide(false)
    assert.equal(runs.length, 1)
    assert.deepEqual(failures, stop === 'reject' ? [error] : [])
  }
})

test('whoever ends it stops it, also for later', t => {
  const tick = stopTime(t)
  const { runs, end } = watched()
  page.hide(true)
  end()
  assert.ok(runs[0]!.signal.aborted)
  tick(10_000)
  page.hide(false)
  assert.equal(runs.length, 1)
})
