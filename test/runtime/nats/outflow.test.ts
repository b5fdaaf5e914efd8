import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createInbox } from '@nats-io/nats-core'
import { messageHeaders, PIECE_BYTES, WIRE } from '../../../lib/fleet/wire.ts'
import { createOutflow } from '../../../runtime/nats/outflow.ts'
import { connectTwice, serveMessages } from '../../support/nats-pair.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { waitFor } from '../../support/wait-for.ts'

const MB = 1 << 20

/** A body of so many pieces; with its end, seven are as many as go out to who acknowledges none. */
const pieces = (count: number) => {
  let left = count
  return new ReadableStream<Uint8Array>({
    pull(body) {
      if (left-- > 0) body.enqueue(new Uint8Array(PIECE_BYTES))
      else body.close()
    },
  })
}

test('what there is no room for waits, in order, until the engine has what came before', async () => {
  const flushes: PromiseWithResolvers<void>[] = []
  const flush = () => {
    const one = Promise.withResolvers<void>()
    flushes.push(one)
    return one.promise
  }
  const outflow = createOutflow({ flush }, { most: 100, flushAt: 50 })
  const taken: number[] = []
  const take = (bytes: number) => outflow.take(bytes).then(() => taken.push(bytes))
  const all = [60, 40, 1, 99, 500, 2].map(take)
  const through = async (count: number, dueThen: number) => {
    await waitFor(`${count} are through`, () => taken.length === count && flushes.length > 0)
    await new Promise(setImmediate)
    assert.deepEqual([taken.length, outflow.due()], [count, dueThen])
  }
  await through(2, 100)
  // An engine that is lost takes what was due with it; of that 40 came later.
  flushes.pop()!.reject(new Error('gone'))
  await through(3, 41)
  flushes.pop()!.resolve()
  await through(4, 99)
  flushes.pop()!.resolve()
  // One that is too large for anything goes alone.
  await through(5, 500)
  flushes.pop()!.resolve()
  await Promise.all(all)
  assert.deepEqual(taken, [60, 40, 1, 99, 500, 2])
})

/** One whose flushes take as long as a test says. */
const timed = () => {
  let time = 0
  let flushed: (() => void) | undefined
  const flush = () =>
    new Promise<void>(resolve => {
      flushed = resolve
    })
  const outflow = createOutflow({ flush }, { now: () => time })
  const taken: string[] = []
  return {
    outflow,
    taken,
    take: (bytes: number, caller: string) => void outflow.take(bytes, caller).then(() => taken.push(caller)),
    async flushed(ms: number) {
      time += ms
      flushed?.()
      await new Promise(setImmediate)
    },
  }
}

test('as much may be due as the engine takes in a second', async () => {
  const { outflow, take, flushed } = timed()
  for (let n = 0; n < 800; n++) take(PIECE_BYTES, 'a')
  assert.equal(outflow.due(), 1 * MB)
  for (let n = 0; n < 4; n++) await flushed(10_000)
  assert.equal(outflow.due(), 256 << 10)
  for (let n = 0; n < 4; n++) await flushed(50)
  assert.equal(outflow.due(), 16 * MB)
  await flushed(4000)
  assert.equal(outflow.due(), 4 * MB)
})

test('callers take turns, however much one of them has to send', async () => {
  const { taken, take, flushed } = timed()
  for (let n = 0; n < 100; n++) take(PIECE_BYTES, 'greedy')
  take(100, 'modest')
  take(100, 'other')
  await new Promise(setImmediate)
  const before = taken.length
  await flushed(10_000)
  await flushed(10_000)
  assert.deepEqual(taken.slice(before, before + 3), ['greedy', 'modest', 'other'])
})

describe('an engine that does not read', NATS_TEST, () => {
  let engine: NatsServer
  let pair: Awaited<ReturnType<typeof connectTwice>>
  before(async () => {
    engine = await startNatsServer()
    pair = await connectTwice(engine)
  })
  after(async () => {
    await pair?.close()
    await engine?.end()
  })

  test('has an agent keep so many bytes for it, however many answers there are', async () => {
    let reads = Promise.withResolvers<void>()
    const connection = new Proxy(pair.ofAgent, {
      get(target, name) {
        if (name === 'flush') return () => reads.promise
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    reads.resolve()
    const served = await serveMessages(connection, { serve: () => new Response(pieces(7)) })
    await pair.ofAgent.flush() // What the other connection sends must find it there.
    reads = Promise.withResolvers()
    let heard = 0
    const inbox = createInbox()
    pair.ofClient.subscribe(`${inbox}.*`, {
      callback(_error, { data }) {
        heard += data.length
      },
    })
    const headers = messageHeaders({ [WIRE.method]: 'GET', [WIRE.target]: '/' })
    for (let n = 0; n < 24; n++)
      pair.ofClient.publish('newdt.host.db1.read', '', { reply: `${inbox}.${n}`, headers })
    await waitFor('all that may go has gone', () => heard > MB - 2 * PIECE_BYTES)
    await pair.ofClient.flush()
    assert.ok(heard <= MB, `${heard / MB} MB`)
    reads.resolve()
    await waitFor('the rest goes when it reads', () => heard === 24 * 7 * PIECE_BYTES, 60_000)
    served.close()
  })
})
