import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConnectOptions, connect } from '../../../lib/client/client.ts'

type Fetch = NonNullable<ConnectOptions['fetch']>

const clientBy = (fetch: Fetch, options: ConnectOptions = {}) =>
  connect('http://127.0.0.1:1', { patienceMs: 0, ...options, fetch })

test('who stops while a refusal is read has stopped it, and a connection that breaks then is no answer', async () => {
  const refusal = (signal: AbortSignal, begun: () => void) =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"msg":'))
          signal.addEventListener('abort', () => controller.error(signal.reason))
        },
        pull: begun,
      }),
      { status: 404 },
    )
  for (const [word, byCaller] of [
    ['aborted', true],
    ['unreachable', false],
  ] as const) {
    const [caller, connection] = [new AbortController(), new AbortController()]
    const begun = Promise.withResolvers<void>()
    const client = clientBy(async (_, { signal }) =>
      refusal(AbortSignal.any([signal!, connection.signal]), begun.resolve),
    )
    const listed = client.list({}, { signal: caller.signal })
    await begun.promise
    if (byCaller) caller.abort()
    else connection.abort(new TypeError('terminated'))
    const result = await listed
    assert.equal(!result.ok && result.error.word, word)
  }
})

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers })
const good = () => json(200, { code: 0, success: true, msg: '', data: 3 })

test('a proxy that has no agent behind it is asked again, and so is an agent that says when', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const guesses = { code: 429, success: false, error: 'too-many-guesses', msg: 'wait' }
  const passing = [json(502, {}), json(503, '<html>'), json(504, []), json(429, guesses)]
  for (const answer of passing) {
    const answers = [answer, good()]
    const counted = clientBy(async () => answers.shift()!, { patienceMs: 60_000 }).countRunning()
    while (answers.length > 0) {
      t.mock.timers.tick(2000)
      await new Promise(setImmediate)
    }
    assert.deepEqual(await counted, { ok: true, value: 3 }, String(answer.status))
  }
  const lasting = [json(500, {}), json(404, guesses.msg), json(429, { ...guesses, error: 'too-many-jobs' })]
  for (const answer of lasting) {
    const answers = [answer]
    const result = await clientBy(async () => answers.shift()!, { patienceMs: 60_000 }).countRunning()
    assert.equal(!result.ok && result.error.status, answer.status)
  }
})

test('an agent that says after how long is not asked before that', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const guesses = { code: 429, success: false, error: 'too-many-guesses', msg: 'wait' }
  const answers = [json(429, guesses, { 'Retry-After': '30' }), good()]
  const counted = clientBy(async () => answers.shift()!, { patienceMs: 60_000 }).countRunning()
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  }
  await settle()
  t.mock.timers.tick(29_999)
  await settle()
  assert.equal(answers.length, 1)
  t.mock.timers.tick(1)
  assert.deepEqual(await counted, { ok: true, value: 3 })
  const impatient = clientBy(async () => json(429, guesses, { 'Retry-After': '30' }), { patienceMs: 29_000 })
  const result = await impatient.countRunning()
  assert.equal(!result.ok && result.error.retryAfterMs, 30_000)
})

test('messages are asked for in English, or in the language of the caller', async () => {
  const languageOf = async (options: ConnectOptions): Promise<string | null> => {
    let asked: string | null = null
    const client = clientBy(async (_, { headers }) => {
      asked = new Headers(headers).get('accept-language')
      return good()
    }, options)
    await client.countRunning()
    return asked
  }
  assert.equal(await languageOf({}), 'en')
  assert.equal(await languageOf({ language: 'zh' }), 'zh')
})

test('an answer that is over is not let go of: a browser would give up its connection', async t => {
  for (const status of [200, 404]) {
    const answer = json(status, { code: 0, success: status === 200, msg: '', data: 3 })
    const reader = answer.body!.getReader()
    const cancel = t.mock.method(reader, 'cancel')
    t.mock.method(answer.body!, 'getReader', () => reader)
    const result = await clientBy(async () => answer).countRunning()
    assert.deepEqual([result.ok, cancel.mock.callCount()], [status === 200, 0])
  }
})
