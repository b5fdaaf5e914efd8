import type { TestContext } from 'node:test'

export interface FakeTime {
  pass(ms: number): void
}

/** Timers and the monotonic clock that a test moves by hand; `node:test` mocks the first, not the second. */
export const fakeTime = (t: TestContext): FakeTime => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 1000
  t.mock.method(performance, 'now', () => now)
  return {
    pass(ms) {
      for (; ms > 0; ms--) {
        now++
        t.mock.timers.tick(1)
      }
    },
  }
}
