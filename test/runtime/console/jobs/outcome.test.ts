import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndReason } from '../../../../lib/jobs/job.ts'
import { commandText } from '../../../../runtime/console/command-text.ts'
import { outcomeOf } from '../../../../runtime/console/jobs/outcome.ts'
import { words } from '../../../../runtime/console/jobs/words.ts'

const outcome = (given: Partial<Parameters<typeof outcomeOf>[0]>): string =>
  outcomeOf({ state: 'failed', reason: 'exited', exitCode: 0, signal: '', ...given })

test('an end is told by the exit code, or the signal, or why the job was stopped', () => {
  assert.equal(outcome({ exitCode: 3 }), words.exit(3))
  assert.equal(outcome({ state: 'success' }), words.exit(0))
  assert.equal(outcome({ reason: 'signaled', signal: 'SIGKILL' }), 'SIGKILL')
  const told = (['timeout', 'output-limit', 'out-of-memory', 'start-failed', 'agent-lost'] as const).map(
    reason => outcome({ reason, signal: 'SIGTERM', exitCode: 143 }),
  )
  assert.equal(new Set(told).size, 5)
  for (const text of told) assert.doesNotMatch(text, /^$|SIG|143/)
})

test('what the state says already is not said twice', () => {
  assert.equal(outcome({ state: 'running', reason: '' as EndReason }), '')
  assert.equal(outcome({ state: 'rejected', reason: 'rejected' }), '')
  assert.equal(outcome({ state: 'canceled', reason: 'canceled', signal: 'SIGTERM' }), '')
  assert.equal(outcome({ state: 'canceled', reason: 'agent-stopped' }), words.reasons['agent-stopped'])
})

test('a reason of a newer agent is told as it is', () => {
  assert.equal(outcome({ reason: 'moved-away' as EndReason }), 'moved-away')
  assert.equal(outcome({ reason: 'constructor' as EndReason }), 'constructor')
})

test('a script goes by its name and its params', () => {
  const execCmd = 'bash /var/lib/newdt/scripts/1.sh --all'
  assert.equal(commandText({ scriptName: 'backup.sh', params: '--all', execCmd }), 'backup.sh --all')
  assert.equal(commandText({ scriptName: 'backup.sh', params: '', execCmd }), 'backup.sh')
  assert.equal(commandText({ scriptName: '', params: '-h', execCmd: 'df -h' }), 'df -h')
})
