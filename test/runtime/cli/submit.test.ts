import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  ClientError,
  type Credentials,
  connect,
  type JobHandle,
  type Result,
} from '../../../lib/client/client.ts'
import { failed, success } from '../../../lib/client/result.ts'
import { Failure } from '../../../runtime/cli/failure.ts'
import { submitJob } from '../../../runtime/cli/submit.ts'

const JOB = { id: '0'.repeat(32) } as JobHandle
const aborted = failed(new ClientError('aborted', 'stopped'))

/** Submits, while Ctrl-C has been pressed and the time for an answer goes by; `answer` comes then. */
const submitInterrupted = (t: TestContext, signal: AbortSignal, answer: Result<JobHandle>) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const client = {
    submit: (_: unknown, { signal }: { signal?: AbortSignal | undefined } = {}) =>
      new Promise<Result<JobHandle>>(resolve => signal!.addEventListener('abort', () => resolve(answer))),
  }
  const submitted = submitJob(client, { cmd: 'true' }, { idempotencyKey: 'mine', signal })
  return { submitted, wait: () => t.mock.timers.tick(10_000) }
}

test('a submission that is not answered soon after Ctrl-C is given up, also when that came before it', async t => {
  const { submitted, wait } = submitInterrupted(t, AbortSignal.abort(), aborted)
  wait()
  await assert.rejects(submitted, (error: Error) => {
    assert.ok(error instanceof Failure)
    assert.match(error.message, /given up .* the job may run: .*--idempotency-key mine shows it$/)
    return true
  })
})

test('an answer that comes at the last moment is one', async t => {
  const stop = new AbortController()
  const { submitted, wait } = submitInterrupted(t, stop.signal, success(JOB))
  stop.abort()
  wait()
  assert.equal(await submitted, JOB)
})

const { signal } = new AbortController()
const refused = () => Promise.reject(new TypeError('fetch failed', { cause: codeError('ECONNREFUSED') }))
const reset = () => Promise.reject(new TypeError('fetch failed', { cause: codeError('ECONNRESET') }))
const codeError = (code: string) => Object.assign(new Error(code), { code })
const badGateway = async () => new Response('<html>', { status: 502 })

/** What is told of a submission, when the server does that, one after the other; the last again and again. */
const lineOf = async (...attempts: (() => Promise<Response>)[]): Promise<string> =>
  lineAs(undefined, ...attempts)

const lineAs = async (credentials: Credentials | undefined, ...attempts: (() => Promise<Response>)[]) => {
  const client = connect('http://127.0.0.1:1', {
    credentials,
    patienceMs: attempts.length > 1 ? 200 : 0,
    fetch: () => (attempts.length > 1 ? attempts.shift()! : attempts[0]!)(),
  })
  return submitJob(client, { cmd: 'true' }, { idempotencyKey: 'mine', signal }).then(
    () => assert.fail('it was answered'),
    (error: ClientError) => `${error.word} ${error.message}`,
  )
}

test('a submission whose answer was lost tells the key with which the same can be asked for again', async () => {
  const mayRun = /; the job may run: newdt ps; the same with --idempotency-key mine shows it$/
  assert.match(await lineOf(reset), /^unreachable 127\.0\.0\.1:1: ECONNRESET; /)
  assert.match(await lineOf(reset), mayRun)
  assert.match(await lineOf(badGateway), mayRun)
  // The agent has ended upon it, and is not there any more.
  assert.match(await lineOf(reset, refused), /ECONNREFUSED; the job may run: .* mine shows it$/)
})

test('one that never reached an agent does not', async () => {
  assert.equal(await lineOf(refused), 'unreachable 127.0.0.1:1: ECONNREFUSED')
  const badPort = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('bad port') }))
  assert.doesNotMatch(await lineOf(badPort), /mine/)
  assert.doesNotMatch(await lineAs({ privateKey: 'no PEM', keyId: 'x' }, reset), /mine/)
  assert.equal(await lineOf(refused, refused), 'unreachable 127.0.0.1:1: ECONNREFUSED')
})
