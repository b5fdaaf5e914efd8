import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { createSigner } from '../../../lib/security/md5-signature.ts'
import { checkAnswersOf } from '../../support/checked-fetch.ts'
import { waitFor } from '../../support/wait-for.ts'
import { createScratch } from '../scratch.ts'
import { SECRET } from '../submission.ts'
import { ask } from './ask.ts'
import { startLeastLookUp } from './least-look-up.ts'

suite('the least look-up', { skip: process.platform !== 'linux' && 'it needs Linux' }, () => {
  const scratch = createScratch()
  after(() => scratch.remove())
  let target: Awaited<ReturnType<typeof startLeastLookUp>>
  before(async () => {
    target = await startLeastLookUp(scratch)
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

  test('logs a line for each request', async () => {
    const lines = () => readFileSync(target.logFile, 'utf8').split('"msg":"request"').length - 1
    const before = lines()
    await ask(target)
    await waitFor('the line is there', () => lines() === before + 1)
  })

  test('says which process it is, so that its own CPU is measured', () => {
    assert.match(readFileSync(`/proc/${target.pid}/cmdline`, 'utf8'), /least-look-up\.ts/)
  })

  test('refuses a wrong signature, and a job that it does not have', async () => {
    const wrong = { ...target.headers, sign: '0'.repeat(32) }
    assert.equal((await ask(target, { headers: wrong })).error, 'signature-wrong')
    assert.equal((await ask(target, { headers: {} })).status, 401)
    for (const signAt of ['1', '9999999999']) {
      const { status } = await ask(target, { headers: { signAt, sign: createSigner(SECRET).sign(signAt) } })
      assert.equal(status, 401, `signAt ${signAt}`)
    }
    const { status, error } = await ask(target, { url: target.url.replace(/.{32}$/, '0'.repeat(32)) })
    assert.deepEqual({ status, error }, { status: 404, error: 'unknown-job' })
  })
})
