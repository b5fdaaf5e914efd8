import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodeOf } from '../../../runtime/cli/exit-code.ts'

const code = (job: Partial<Parameters<typeof exitCodeOf>[0]>): number =>
  exitCodeOf({ state: 'failed', exitCode: 0, signal: '', reason: 'exited', ...job })

test('only a success gives 0', () => {
  assert.equal(code({ state: 'success' }), 0)
  const reasons = [
    'exited',
    'signaled',
    'timeout',
    'output-limit',
    'out-of-memory',
    'canceled',
    'agent-stopped',
    'start-failed',
    'agent-lost',
    'rejected',
  ] as const
  for (const state of ['failed', 'canceled', 'rejected'] as const) {
    for (const reason of reasons) assert.notEqual(code({ state, reason }), 0, `${state} ${reason}`)
  }
})

test('a code is the own one, a signal is 128 and its number', () => {
  assert.equal(code({ exitCode: 255 }), 255)
  assert.equal(code({ state: 'canceled', reason: 'canceled', exitCode: 5 }), 5)
  const signals = { SIGHUP: 129, SIGKILL: 137, SIGTERM: 143, SIGRTMIN: 162, 'SIGRTMIN+1': 163, SIG63: 191 }
  for (const [signal, expected] of Object.entries(signals)) assert.equal(code({ signal }), expected, signal)
  for (const signal of ['SIG128', 'SIG65', `SIG${'9'.repeat(400)}`, 'SIGRTMIN+31', 'constructor', 'SIG0'])
    assert.equal(code({ signal }), 1, signal)
  for (const reason of ['constructor', 'toString', '__proto__'])
    assert.equal(code({ reason: reason as 'exited' }), 1, reason)
  assert.equal(code({ reason: 'timeout' }), 124)
  assert.equal(code({ reason: 'start-failed' }), 126)
  assert.equal(code({ reason: 'agent-lost' }), 125)
})
