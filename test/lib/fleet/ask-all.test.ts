import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { askAll } from '../../../lib/fleet/ask-all.ts'
import { messageHeaders, PIECE_BYTES, WIRE } from '../../../lib/fleet/wire.ts'
import { connectTwice } from '../../support/nats-pair.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'

const HEAD = { [WIRE.kind]: 'head', [WIRE.status]: '200', [WIRE.seq]: '0' }
const GET = { method: 'GET', target: '/api/agent', headers: [] }

describe('one request to all agents', NATS_TEST, () => {
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

  test('has one answer of each host, none of which is larger than an agent sends', async () => {
    const answers: [id: string, host: string, bytes: number][] = [
      ['a', 'db1', 3],
      ['b', 'db1', 4],
      ['c', 'db2', PIECE_BYTES + 1],
      ['d', 'db3', PIECE_BYTES],
    ]
    const subscription = pair.ofAgent.subscribe('newdt.all.read', {
      callback(_error, { reply = '' }) {
        for (const [id, host, bytes] of answers) {
          const common = { [WIRE.answer]: id, [WIRE.host]: host }
          const headers = messageHeaders({ ...common, ...HEAD, [WIRE.end]: 'true' })
          pair.ofAgent.publish(reply, new Uint8Array(bytes), { headers })
        }
      },
    })
    await pair.ofAgent.flush()
    const found: Record<string, number | string> = {}
    for await (const one of askAll(pair.ofClient, { to: 'all' }, GET, { waitMs: 500 })) {
      assert.ok(!(one.host in found))
      found[one.host] = 'response' in one ? (await one.response.bytes()).length : one.error.fault
    }
    subscription.unsubscribe()
    assert.deepEqual(found, { db1: 3, db2: 'lost', db3: PIECE_BYTES })
  })

  /** So many hosts, each of which sends a head, whole or not, and so many full pieces after it. */
  const answerAs = async (hosts: number, isWhole: boolean, pieces: number) => {
    const subscription = pair.ofAgent.subscribe('newdt.all.read', {
      callback(_error, { reply = '' }) {
        for (let host = 0; host < hosts; host++) {
          const common = { [WIRE.answer]: String(host), [WIRE.host]: `h${host}` }
          const head = { ...common, ...HEAD, ...(isWhole && { [WIRE.end]: 'true' }) }
          pair.ofAgent.publish(reply, isWhole ? new Uint8Array(PIECE_BYTES) : '', {
            headers: messageHeaders(head),
          })
          for (let seq = 1; seq <= pieces; seq++) {
            const fields = { ...common, [WIRE.kind]: 'part', [WIRE.seq]: String(seq) }
            pair.ofAgent.publish(reply, new Uint8Array(PIECE_BYTES), { headers: messageHeaders(fields) })
          }
        }
      },
    })
    await pair.ofAgent.flush()
    const expected = Array.from({ length: hosts }, (_, host) => `h${host}`)
    return { subscription, expected }
  }

  test('takes so many bytes that nobody has read, of however many hosts', async () => {
    const { subscription, expected } = await answerAs(40, false, 8)
    const options = { expected, waitMs: 60_000, mostBytes: 32 * 8 * PIECE_BYTES }
    const open: ReadableStream[] = []
    for await (const one of askAll(pair.ofClient, { to: 'all' }, GET, options))
      if ('response' in one && one.response.body) open.push(one.response.body)
    // All that was sent is there, and nothing of it was read.
    await pair.ofAgent.flush()
    await pair.ofClient.flush()
    subscription.unsubscribe()
    let whole = 0
    for (const body of open) {
      const reader = body.getReader()
      let bytes = 0
      try {
        while (bytes < 8 * PIECE_BYTES) bytes += (await reader.read()).value.length
        whole++
        await reader.cancel()
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'FLEET_LOST')
      }
    }
    assert.deepEqual([open.length, whole], [40, 32])
  })

  test('counts answers that come whole, until they are read or canceled', async () => {
    const { subscription, expected } = await answerAs(10, true, 0)
    const options = { expected, waitMs: 60_000, mostBytes: 6 * PIECE_BYTES }
    const ask = async () => {
      const found: { host: string; response?: Response }[] = []
      for await (const one of askAll(pair.ofClient, { to: 'all' }, GET, options)) found.push(one)
      return found
    }
    const held = (await ask()).filter(({ response }) => response)
    assert.deepEqual(
      held.map(({ host }) => host),
      expected.slice(0, 6),
    )
    assert.equal((await held[0]!.response!.bytes()).length, PIECE_BYTES)
    subscription.unsubscribe()
  })
})
