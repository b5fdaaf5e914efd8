import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { checkAnswersOf } from '../../support/checked-fetch.ts'
import type { Target } from '../load/load.ts'
import { createScratch } from '../scratch.ts'
import { ask } from './ask.ts'
import { startLeastNode } from './least-node.ts'

suite('least Node', { skip: process.platform !== 'linux' && 'it needs Linux' }, () => {
  const scratch = createScratch()
  after(() => scratch.remove())
  let target: Target
  before(async () => {
    target = await startLeastNode(scratch, 'echo hi')
    checkAnswersOf(target.url)
  })

  test('runs a command and answers as an agent does', async () => {
    const { status, data } = await ask(target)
    assert.equal(status, 200)
    const { state, exitCode, stdout, execCmd } = data as Record<string, unknown>
    assert.deepEqual(
      { state, exitCode, stdout, execCmd },
      { state: 'success', exitCode: 0, stdout: 'hi\n', execCmd: 'echo hi' },
    )
  })

  test('tells how a command has failed', async () => {
    const { data } = await ask(target, { body: JSON.stringify({ cmd: 'echo no >&2; exit', params: '3' }) })
    const { state, exitCode, stderr } = data as Record<string, unknown>
    assert.deepEqual({ state, exitCode, stderr }, { state: 'failed', exitCode: 3, stderr: 'no\n' })
  })

  test('refuses a wrong signature, a wrong body, and a sixth job', async () => {
    const wrong = { ...target.headers, sign: '0'.repeat(32) }
    assert.equal((await ask(target, { headers: wrong })).error, 'signature-wrong')
    assert.equal((await ask(target, { body: '{"cmd":":","nonsense":1}' })).error, 'invalid-request')
    const slow = { body: JSON.stringify({ cmd: 'sleep 0.2' }) }
    const statuses = await Promise.all(
      Array.from({ length: 6 }, async () => (await ask(target, slow)).status),
    )
    assert.deepEqual(statuses.sort(), [200, 200, 200, 200, 200, 429])
  })
})
