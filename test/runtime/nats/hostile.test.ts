import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { createInbox, headers, type Msg, type MsgHdrs } from '@nats-io/nats-core'
import fc from 'fast-check'
import { messageHeaders, WIRE } from '../../../lib/fleet/wire.ts'
import { connectTwice, type ServedOptions, serveMessages, URL_OF_HOST } from '../../support/nats-pair.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { waitFor } from '../../support/wait-for.ts'

const GET = { [WIRE.method]: 'GET', [WIRE.target]: '/' }
const POST = { [WIRE.method]: 'POST', [WIRE.target]: '/' }

describe('what is no request', NATS_TEST, () => {
  let engine: NatsServer
  let pair: Awaited<ReturnType<typeof connectTwice>>
  let served: Awaited<ReturnType<typeof serveMessages>> | undefined
  let seen: Request[] = []
  before(async () => {
    engine = await startNatsServer()
    pair = await connectTwice(engine)
  })
  afterEach(() => served?.close())
  after(async () => {
    await pair?.close()
    await engine?.end()
  })

  const serve = async (options: Partial<ServedOptions> = {}) => {
    seen = []
    served = await serveMessages(pair.ofAgent, {
      async serve(request) {
        seen.push(request)
        return new Response(await request.bytes())
      },
      ...options,
    })
  }

  /** Sends a message as it is given, and waits for the first that comes back. */
  const send = async (
    found: MsgHdrs | undefined,
    data: string | Uint8Array = '',
    subject = 'newdt.host.db1.read',
  ) => {
    const reply = createInbox()
    const answers: Msg[] = []
    const subscription = pair.ofClient.subscribe(reply, {
      callback: (_error, message) => void answers.push(message),
    })
    pair.ofClient.publish(subject, data, { reply, ...(found && { headers: found }) })
    const first = await waitFor('an answer comes', () => answers[0])
    subscription.unsubscribe()
    return { first, answers, status: first.headers?.get(WIRE.status), text: first.string() }
  }

  /** It still answers who asks in the right way. */
  const isWell = async () => {
    const response = await pair.fetch(`${URL_OF_HOST}/`, { method: 'POST', body: 'well' })
    assert.equal(await response.text(), 'well')
  }

  test('is answered with what is wrong with it, and gets to no endpoint', async () => {
    await serve()
    const many = Array.from({ length: 70 }, (_, n) => `a=${n}`).join('&')
    const wrong: [string, MsgHdrs | undefined, string, string?][] = [
      ['malformed-request', undefined, '400'],
      ['malformed-request', headers(), '400'],
      ['malformed-request', messageHeaders({ [WIRE.method]: 'GET' }), '400'],
      ['malformed-request', messageHeaders({ [WIRE.target]: '/' }), '400'],
      ...['get', 'G T', 'CONNECT', 'TRACE', '', 'X'.repeat(30)].map((method): [string, MsgHdrs, string] => [
        'malformed-request',
        messageHeaders({ ...GET, [WIRE.method]: method }),
        '400',
      ]),
      ...['', '*', 'http://evil.example/', '\\', 'api'].map((target): [string, MsgHdrs, string] => [
        'malformed-request',
        messageHeaders({ ...GET, [WIRE.target]: target }),
        '400',
      ]),
      ['target-too-long', messageHeaders({ ...GET, [WIRE.target]: `/${'x'.repeat(8000)}` }), '414'],
      ['invalid-request', messageHeaders({ ...GET, [WIRE.target]: `/?${many}` }), '400'],
      ['headers-too-large', messageHeaders({ ...GET, 'x-large': 'x'.repeat(17_000) }), '431'],
      ['malformed-request', messageHeaders({ ...GET, 'x-odd': '中' }), '400'],
      ...['-1', 'abc', '1e3', '0', '9'.repeat(20)].map((bytes): [string, MsgHdrs, string] => [
        'malformed-request',
        messageHeaders({ ...POST, [WIRE.bodyBytes]: bytes }),
        '400',
      ]),
      ['malformed-request', messageHeaders({ ...POST, [WIRE.bodyBytes]: '10' }), '400', 'and a body'],
    ]
    for (const [word, found, status, body = ''] of wrong) {
      const answer = await send(found, body)
      assert.deepEqual([answer.status, JSON.parse(answer.text).error], [status, word], String(found))
    }
    assert.equal(seen.length, 0)
    await waitFor('each has its line in the log', () => served!.lines.length === wrong.length)
    await isWell()
  })

  test('under a subject that names no right is told so', async () => {
    await serve()
    for (const last of ['write', 'READ', 'x']) {
      const { status, text } = await send(messageHeaders(GET), '', `newdt.host.db1.${last}`)
      assert.equal(status, '400')
      assert.match(JSON.parse(text).msg, /read/)
    }
    assert.equal(seen.length, 0)
  })

  test('takes no time, however many headers it has', async () => {
    await serve()
    // As many as are parsed, with the two of a request, the first line and the last; and one more.
    const short = (count: number) =>
      ({
        encode: () =>
          new TextEncoder().encode(
            `NATS/1.0\r\nNewdt-Method: GET\r\nNewdt-Target: /\r\n${'a:1\r\n'.repeat(count)}\r\n`,
          ),
      }) as unknown as MsgHdrs
    assert.equal((await send(short(96))).status, '200')
    assert.equal(JSON.parse((await send(short(97))).text).error, 'headers-too-large')
    const lines = Array.from({ length: 100_000 }, (_, n) => `h${n.toString(36)}:1`).join('\r\n')
    const found = {
      encode: () => new TextEncoder().encode(`NATS/1.0\r\n${lines}\r\n\r\n`),
    } as unknown as MsgHdrs
    const { text } = await send(found)
    assert.equal(JSON.parse(text).error, 'headers-too-large')
    // What the engine's own library cannot parse either.
    const broken = {
      encode: () => new TextEncoder().encode('NATS/1.0\r\nb d: 1\r\n\r\n'),
    } as unknown as MsgHdrs
    assert.equal(JSON.parse((await send(broken)).text).error, 'malformed-request')
    await isWell()
  })

  test('is not answered where nobody may be answered', async () => {
    await serve()
    const heard: Msg[] = []
    const callback = (_error: Error | null, message: Msg) => void heard.push(message)
    const others = ['$JS.API.STREAM.DELETE.X', 'newdt.host.db2.run', 'NEWDT.queue.a.b', 'x'.repeat(257)]
    const subscriptions = others.map(subject => pair.ofAgent.subscribe(subject, { callback }))
    for (const reply of [...others, '_INBOX.*', '>', '_INBOX..x'])
      pair.ofClient.publish('newdt.host.db1.read', '', { reply, headers: messageHeaders(GET) })
    pair.ofClient.publish('newdt.host.db1.read', '', { headers: messageHeaders(GET) })
    await isWell()
    assert.deepEqual([heard.length, seen.length], [0, 1])
    for (const one of subscriptions) one.unsubscribe()
  })

  test('has no agent thrown off the engine, however long the subject is that it names', async () => {
    await serve({
      serve: () => new Response(new ReadableStream({ pull: body => body.enqueue(new Uint8Array(9)) })),
    })
    let isBroken = false
    const statuses = pair.ofAgent.status()
    void (async () => {
      for await (const { type } of statuses) isBroken ||= type === 'disconnect'
    })()
    for (const length of [3000, 4030, 4040, 4050])
      pair.ofClient.publish('newdt.host.db1.read', '', {
        reply: `_INBOX.${'x'.repeat(length)}`,
        headers: messageHeaders(GET),
      })
    await pair.ofClient.flush()
    await waitFor('what came is looked at', async () => {
      await pair.ofAgent.flush().catch(() => {})
      return true
    })
    const response = await pair.fetch(`${URL_OF_HOST}/`)
    await response.body?.cancel()
    assert.ok(!isBroken)
  })

  test('says nothing of where others are answered', async () => {
    await serve()
    const ids = []
    for (let n = 0; n < 2; n++) ids.push((await send(messageHeaders(GET))).first.headers?.get(WIRE.answer))
    for (const id of ids) assert.match(id ?? '', /^[0-9a-f]{32}$/)
    assert.notEqual(ids[0]!.slice(0, 12), ids[1]!.slice(0, 12))
    const { first } = await send(messageHeaders({ ...POST, [WIRE.bodyBytes]: '10' }))
    assert.match(first.reply ?? '', /^_INBOX\.[0-9a-f]{32}\.[0-9a-f]{32}u\.0$/)
  })

  test('a body that does not come, or is not as long as was said, is incomplete; what comes unasked is nothing', async () => {
    const errors: string[] = []
    await serve({
      async serve(request) {
        try {
          return new Response(await request.bytes())
        } catch (error) {
          errors.push(String((error as Error).cause ?? error))
          return new Response(null, { status: 400 })
        }
      },
    })
    const asked = (bytes: number) => send(messageHeaders({ ...POST, [WIRE.bodyBytes]: String(bytes) }))
    const { first } = await asked(10)
    assert.equal(first.headers?.get(WIRE.kind), 'continue')
    const { reply = '' } = first
    // Nothing of a part that was not asked for; then more than was said.
    pair.ofClient.publish(reply.replace(/\.0$/, '.5'), 'early')
    pair.ofClient.publish(reply.replace(/\.[^.]+\.0$/, '.nobody.0'), 'lost')
    pair.ofClient.publish(reply, 'x'.repeat(11))
    await waitFor('the body has failed', () => errors.length === 1)
    // A part again, when the next is due.
    const again = await asked(10)
    pair.ofClient.publish(again.first.reply ?? '', 'abc')
    pair.ofClient.publish(again.first.reply ?? '', 'abc')
    pair.ofClient.publish((again.first.reply ?? '').replace(/\.0$/, '.3'), '')
    await waitFor('an empty part is none', () => errors.length === 2)
    await waitFor('no answer is left', () => served!.answers.size() === 0)
    await isWell()
  })

  test('acknowledgements that were never due change nothing', async () => {
    let pulled = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++
          controller.enqueue(new Uint8Array(10))
        },
      },
      { highWaterMark: 0 },
    )
    await serve({ serve: () => new Response(body) })
    const { first } = await send(messageHeaders(GET))
    const { reply = '' } = first
    await pair.ofClient.flush()
    const subject = (rest: string) => reply.replace(/[^.]+$/, rest)
    for (const rest of ['0', '9', '99', '-1', 'NaN', '1e3', 'alive', '*', '']) {
      if (rest !== '' && rest !== '*') pair.ofClient.publish(subject(rest), '')
    }
    await pair.ofClient.flush()
    assert.ok(pulled <= 10, String(pulled))
    pair.ofClient.publish(reply, '', { headers: messageHeaders({ [WIRE.kind]: 'cancel' }) })
    await waitFor('it is over', () => served!.answers.size() === 0)
  })

  test('any bytes as headers and as a body leave the agent well', async () => {
    await serve()
    const line = fc.oneof(
      fc.constantFrom(
        'Newdt-Method: GET',
        'Newdt-Target: /',
        'Newdt-Body-Bytes: 7',
        'content-length: 9',
        'expect: x',
      ),
      fc.string({ unit: 'grapheme', maxLength: 30 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.uint8Array({ maxLength: 50 }),
        async (lines, body) => {
          const text = `NATS/1.0\r\n${lines.map(one => one.replaceAll(/[\r\n]/g, '')).join('\r\n')}\r\n\r\n`
          const found = { encode: () => new TextEncoder().encode(text) } as unknown as MsgHdrs
          const { first } = await send(found, body)
          assert.ok(['head', 'continue'].includes(first.headers?.get(WIRE.kind) ?? ''))
        },
      ),
      { numRuns: 200 },
    )
    await isWell()
  })
})
