import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { FleetError } from '../../../lib/fleet/fleet-error.ts'
import { messageHeaders, WINDOW, WIRE } from '../../../lib/fleet/wire.ts'
import { connectTwice, type ServedOptions, serveMessages, URL_OF_HOST } from '../../support/nats-pair.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { waitFor } from '../../support/wait-for.ts'

describe('messages are answered as requests are', NATS_TEST, () => {
  let engine: NatsServer
  let pair: Awaited<ReturnType<typeof connectTwice>>
  let served: Awaited<ReturnType<typeof serveMessages>> | undefined
  before(async () => {
    engine = await startNatsServer()
    pair = await connectTwice(engine, { silenceMs: 2000 })
  })
  afterEach(() => served?.close())
  after(async () => {
    await pair?.close()
    await engine?.end()
  })

  const serve = async (handler: ServedOptions['serve'], options: Omit<ServedOptions, 'serve'> = {}) => {
    served = await serveMessages(pair.ofAgent, { serve: handler, ...options })
    return served
  }

  /** Bytes that are not the same at any two places that are near. */
  const bytesOf = (length: number): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(length)
    for (let index = 0; index < length; index++) bytes[index] = (index * 7 + (index >> 8)) % 251
    return bytes
  }

  /** A body that is made while it is sent, and what became of it. */
  const endless = (pieceBytes = 1000) => {
    const state = { pulled: 0, isCanceled: false }
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          state.pulled++
          controller.enqueue(bytesOf(pieceBytes))
        },
        cancel() {
          state.isCanceled = true
        },
      },
      { highWaterMark: 0 },
    )
    return { body, state }
  }

  test('bytes arrive as they were sent, however many, in whatever pieces, in both directions', async () => {
    const size = fc.oneof(
      fc.constantFrom(0, 1, 131_071, 131_072, 131_073, 1_028_096, 1_028_097, 1_048_576),
      fc.integer({ min: 0, max: 3_000_000 }),
    )
    await serve(async (request, context) => {
      const body = await request.bytes()
      if (context.target.includes('known')) {
        return new Response(body, { headers: { 'content-length': String(body.length) } })
      }
      const piece = Number(new URL(request.url).searchParams.get('piece'))
      let at = 0
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (at < body.length) controller.enqueue(body.subarray(at, at + piece))
            at += piece
            if (at >= body.length) controller.close()
          },
        }),
      )
    })
    await fc.assert(
      fc.asyncProperty(
        size,
        fc.integer({ min: 1000, max: 400_000 }),
        fc.boolean(),
        async (length, piece, known) => {
          const body = bytesOf(length)
          const response = await pair.fetch(`${URL_OF_HOST}/x?piece=${piece}${known ? '&known' : ''}`, {
            method: 'POST',
            body,
          })
          const echoed = await response.bytes()
          assert.equal(Buffer.compare(echoed, body), 0, `${echoed.length} of ${length} bytes`)
        },
      ),
      { numRuns: 40 },
    )
    await waitFor('no answer is left', () => served!.answers.size() === 0)
  })

  test('an engine that takes small messages only gets small ones', async () => {
    await using small = await startNatsServer({ config: 'max_payload: 65536' })
    const other = await connectTwice(small)
    const echo = await serveMessages(other.ofAgent, {
      serve: async request => {
        const body = await request.bytes()
        return new Response(body, { headers: { 'content-length': String(body.length) } })
      },
    })
    for (const length of [45_000, 65_536, 1_000_000]) {
      const body = bytesOf(length)
      const response = await other.fetch(`${URL_OF_HOST}/`, { method: 'POST', body })
      assert.equal(Buffer.compare(await response.bytes(), body), 0)
    }
    echo.close()
    await other.close()
  })

  test('method, path, query, headers and status come through', async () => {
    await serve(async (request, { target, authority, onlyRight, isRelayed, isPrivate, address }) => {
      const { method, url, headers } = request
      const seen = {
        method,
        url,
        one: headers.get('x-one'),
        target,
        authority,
        onlyRight,
        isRelayed,
        isPrivate,
        address,
      }
      return Response.json(seen, { status: 418, headers: { 'x-two': 'b', 'retry-after': '3' } })
    })
    const response = await pair.fetch(`${URL_OF_HOST}/api/jobs/execute/cmd?a=%20b`, {
      method: 'POST',
      headers: { 'X-One': 'a' },
    })
    assert.deepEqual([response.status, response.headers.get('x-two')], [418, 'b'])
    assert.deepEqual(await response.json(), {
      method: 'POST',
      url: 'http://localhost/api/jobs/execute/cmd?a=%20b',
      one: 'a',
      target: '/api/jobs/execute/cmd?a=%20b',
      authority: 'db1.host.newdt',
      onlyRight: 'run',
      isRelayed: true,
      isPrivate: false,
      address: 'nats',
    })
  })

  test('a reader that does not read has few pieces made for it, and slows nobody else', async () => {
    const slow = endless()
    await serve(request => (request.url.endsWith('/slow') ? new Response(slow.body) : new Response('quick')))
    const response = await pair.fetch(`${URL_OF_HOST}/slow`)
    const reader = response.body!.getReader()
    await waitFor('the first pieces are made', () => slow.state.pulled > WINDOW)
    for (let n = 0; n < 50; n++)
      assert.equal(await (await pair.fetch(`${URL_OF_HOST}/quick`)).text(), 'quick')
    assert.equal(slow.state.pulled, WINDOW + 1)
    for (let n = 0; n < 20; n++) assert.equal((await reader.read()).value!.length, 1000)
    await waitFor('more is made for who reads on', () => slow.state.pulled > WINDOW + 10)
    await reader.cancel()
    await waitFor('nothing is made for who has gone', () => slow.state.isCanceled)
    await waitFor('its answer is over', () => served!.answers.size() === 0)
  })

  test('a source is let go of when its reader is gone: canceled, closed, or silent', async () => {
    const times = { aliveMs: 50, silenceMs: 300 }
    const sources: ReturnType<typeof endless>[] = []
    const signals: AbortSignal[] = []
    await serve(
      ({ signal, url }) => {
        signals.push(signal)
        if (url.endsWith('/wait')) return new Promise(() => {})
        sources.push(endless())
        return new Response(sources.at(-1)!.body)
      },
      { times },
    )
    const isLetGo = () => sources.every(({ state }) => state.isCanceled) && signals.every(one => one.aborted)

    const stop = new AbortController()
    const read = await pair.fetch(`${URL_OF_HOST}/`, { signal: stop.signal })
    stop.abort()
    await assert.rejects(read.text())
    await waitFor('the source of an aborted answer is let go of', isLetGo)

    const other = await connectTwice(engine)
    await other.fetch(`${URL_OF_HOST}/`)
    const waiting = assert.rejects(other.fetch(`${URL_OF_HOST}/wait`), /connection/)
    await waitFor('both have come', () => signals.length === 3)
    await other.close()
    await waiting
    await waitFor('the sources of a closed connection are let go of', isLetGo)

    // It is there, so the engine does not say that nobody is; but it acknowledges nothing.
    const silent = pair.ofClient.subscribe('_INBOX.silent', { callback() {} })
    pair.ofClient.publish('newdt.host.db1.read', '', {
      reply: '_INBOX.silent',
      headers: messageHeaders({ [WIRE.method]: 'GET', [WIRE.target]: '/' }),
    })
    await waitFor('it has come', () => signals.length === 4)
    await waitFor('the source of a silent reader is let go of', isLetGo)
    silent.unsubscribe()
    await waitFor('no answer is left', () => served!.answers.size() === 0)
  })

  test('a reader that is there but takes nothing is given up after a while', async () => {
    const { body, state } = endless()
    await serve(() => new Response(body), { times: { aliveMs: 30, silenceMs: 200, stalledMs: 600 } })
    const response = await pair.fetch(`${URL_OF_HOST}/`)
    await waitFor('its source is let go of', () => state.isCanceled)
    await assert.rejects(response.text(), FleetError)
  })

  test('an agent that has nothing to say yet says that it is there, and one that is gone is found out', async () => {
    const gate = Promise.withResolvers<Response>()
    await serve(() => gate.promise, { times: { aliveMs: 100 } })
    const asked = pair.fetch(`${URL_OF_HOST}/`)
    let isOver = false
    void asked.finally(() => (isOver = true)).catch(() => {})
    const since = performance.now()
    await waitFor('longer has passed than an agent may be silent', () => performance.now() - since > 3500)
    assert.ok(!isOver)
    gate.resolve(new Response('late'))
    assert.equal(await (await asked).text(), 'late')

    const mute = pair.ofAgent.subscribe('newdt.host.mute.*', { callback() {} })
    await pair.ofAgent.flush()
    await assert.rejects(pair.fetch('http://mute.host.newdt/'), { code: 'FLEET_LOST', message: /silent/ })
    mute.unsubscribe()
  })

  test('nobody there is told at once, and that nothing was sent', async () => {
    await assert.rejects(pair.fetch('http://nobody.host.newdt/'), { code: 'FLEET_NOBODY_THERE' })
    await assert.rejects(pair.fetch('http://db.role.any.newdt/'), { code: 'FLEET_NOBODY_THERE' })
    for (const url of [
      'http://db1/',
      'http://all.newdt/',
      'http://db.role.label.newdt/',
      'http://DB_1.host.newdt/',
    ])
      await assert.rejects(pair.fetch(url), TypeError, url)
  })

  test('a source that fails breaks the body, before and after its first piece', async () => {
    for (const pieces of [0, 1, 5]) {
      let made = 0
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (made++ < pieces) controller.enqueue(bytesOf(10))
          else controller.error(new Error('broken'))
        },
      })
      await serve(() => new Response(body))
      const response = await pair.fetch(`${URL_OF_HOST}/`)
      await assert.rejects(response.text(), FleetError)
      assert.match(JSON.stringify(served!.lines.at(-1)), /"aborted":true/)
      served!.close()
    }
  })

  test('more answers than there may be are refused, and a caller has its share of them', async () => {
    const gates: (() => void)[] = []
    await serve(
      async (request, { note }) => {
        note({ caller: request.headers.get('x-caller')! })
        await new Promise<void>(resolve => gates.push(resolve))
        return new Response('done')
      },
      { most: 10 },
    )
    const ask = (caller: string) => pair.fetch(`${URL_OF_HOST}/`, { headers: { 'x-caller': caller } })
    const first = Array.from({ length: 8 }, () => ask('greedy'))
    await waitFor('as many wait as may', () => gates.length === 8)
    await assert.rejects(ask('greedy'), { code: 'FLEET_NOT_BEGUN' })
    const others = [ask('modest'), ask('shy')]
    await waitFor('others are heard', () => gates.length === 10)
    await assert.rejects(ask('late'), { code: 'FLEET_NOT_BEGUN' })
    for (const open of gates) open()
    for (const response of await Promise.all([...first, ...others]))
      assert.equal(await response.text(), 'done')
    gates.length = 0
    const after = ask('greedy')
    await waitFor('there is room again', () => gates.length === 1)
    gates[0]!()
    assert.equal(await (await after).text(), 'done')
  })
})
