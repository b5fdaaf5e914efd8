import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Agent, ClientError, type Result } from '../../../lib/client/client.ts'
import { failed, success } from '../../../lib/client/result.ts'
import { unreachable } from '../../../lib/client/transport.ts'
import { FleetError } from '../../../lib/fleet/fleet-error.ts'
import { untilGone } from '../../../runtime/cli/until-gone.ts'

type Look = Result<Agent>
const START = '2026-01-31T12:00:00Z'
const agent = (fields: Partial<Agent>): Look =>
  success({ draining: true, startTime: START, ...fields } as Agent)
const broken = (code: string): Look => {
  const cause = Object.assign(new Error(`connect ${code}`), { code })
  return failed(unreachable(new URL('http://db1'), new TypeError('fetch failed', { cause })))
}
const gateway = (status: number): Look =>
  failed(new ClientError('not-an-agent', `HTTP ${status}`, { status }))
const REFUSED = broken('ECONNREFUSED')

/** What is told, and how many looks are left when it resolves; each look finds the next of these. */
const wait = async (looks: Look[], patienceMs = 60_000) => {
  const told: string[] = []
  const left = [...looks]
  await untilGone(
    { status: async () => left.shift() ?? assert.fail('it looks on') },
    {
      drained: { startTime: START },
      onLost: async line => void told.push(line),
      signal: new AbortController().signal,
      lookMs: 1,
      patienceMs,
    },
  )
  return { told, left: left.length }
}

test('an agent has not ended because the network is lost, or a proxy has a bad moment', async () => {
  const lost = ['EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT']
  const others = ['CERT_HAS_EXPIRED', 'ECONNRESET', 'EADDRNOTAVAIL']
  for (const look of [...[...lost, ...others].map(broken), ...[502, 503, 504].map(gateway)]) {
    const { told, left } = await wait([look, look, agent({}), look, REFUSED, REFUSED])
    assert.deepEqual([told.length, left], [2, 1], JSON.stringify(look))
  }
  assert.equal((await wait([...Array(9).fill(gateway(503)), REFUSED])).left, 0)
})

test('an agent of a fleet has ended when its engine says again and again that nobody has its name', async () => {
  const nobody = failed(unreachable(new URL('http://db1'), new FleetError('nobody-there', 'nobody')))
  assert.deepEqual(await wait([nobody, nobody, agent({}), ...Array(6).fill(nobody)]), { told: [], left: 1 })
  const lost = failed(unreachable(new URL('http://db1'), new FleetError('not-sent', 'no engine')))
  const { told, left } = await wait([...Array(6).fill(lost), ...Array(5).fill(nobody)])
  assert.deepEqual([told.length, left], [1, 0])
})

test('an agent has ended when nobody takes connections, or a proxy says again and again that nobody does', async () => {
  assert.deepEqual(await wait([REFUSED, agent({})]), { told: [], left: 1 })
  assert.equal((await wait([agent({}), ...Array(6).fill(gateway(502))])).left, 1)
})

test('an agent of several addresses has ended when all of them refuse', async () => {
  const all = (...codes: string[]): Look => {
    const errors = codes.map(code => Object.assign(new Error(code), { code }))
    const cause = Object.assign(new AggregateError(errors), { code: codes[0] })
    return failed(unreachable(new URL('http://db1'), new TypeError('fetch failed', { cause })))
  }
  const half = all('ECONNREFUSED', 'EHOSTUNREACH')
  assert.equal((await wait([half, all('ECONNREFUSED', 'ECONNREFUSED'), agent({})])).left, 1)
})

test('another agent at the same address is known by its start, one of before by taking jobs', async () => {
  assert.equal((await wait([agent({}), agent({ startTime: '2026-01-31T12:00:05Z' })])).left, 0)
  const { startTime: _, ...old } = { startTime: '', draining: false }
  assert.equal((await wait([agent({}), success(old as Agent)])).left, 0)
})

test('an agent that cannot be asked for too long may still run, which is said', async () => {
  await assert.rejects(wait([broken('EHOSTUNREACH'), broken('EHOSTUNREACH')], -1), {
    message: /^it is not known whether the agent has ended: db1: connect EHOSTUNREACH$/,
  })
})
