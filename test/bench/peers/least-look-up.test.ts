import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { checkAnswersOf } from '../../support/checked-fetch.ts'
import type { Target } from '../load/load.ts'
import { createScratch } from '../scratch.ts'
import { ask } from './ask.ts'
import { startLeastLookUp } from './least-look-up.ts'

suite('the least look-up', { skip: process.platform !== 'linux' && 'it needs Linux' }, () => {
  const scratch = createScratch()
  after(() => scratch.remove())
  let target: Target
  before(async () => {
    const checkout = { name: 'agent', directory: join(import.meta.dirname, '../../..') }
    target = await startLeastLookUp(scratch, checkout)
    checkAnswersOf(target.url)
  })

  test('answers with a finished job and its output, as an agent does', async () => {
    const { status, data } = await ask(target)
    assert.equal(status, 200)
    const { id, state, cmd, stdout, stderr, droppedBytes } = data as Record<string, unknown>
    assert.deepEqual(
      { id, state, cmd, stdout, stderr, droppedBytes },
      {
        id: target.url.slice(-32),
        state: 'success',
        cmd: 'uptime',
        stdout: 'uptime: line of output\n',
        stderr: '',
        droppedBytes: 0,
      },
    )
  })

  test('refuses a wrong signature, and a job that it does not have', async () => {
    const wrong = { ...target.headers, sign: '0'.repeat(32) }
    assert.equal((await ask(target, { headers: wrong })).error, 'signature-wrong')
    assert.equal((await ask(target, { headers: {} })).status, 401)
    const { status, error } = await ask(target, { url: target.url.replace(/.{32}$/, '0'.repeat(32)) })
    assert.deepEqual({ status, error }, { status: 404, error: 'unknown-job' })
  })
})
