import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEntry } from '../../../lib/security/audit-line.ts'
import { createAuditRepeats } from '../../../lib/security/audit-repeats.ts'
import { waitFor } from '../../support/wait-for.ts'

const create = (mostKinds: number, intervalMs = 1e6) => {
  const entries: AuditEntry[] = []
  const record = async (entry: AuditEntry) => void entries.push(entry)
  return { entries, repeats: createAuditRepeats({ record }, { mostKinds, intervalMs }) }
}

const REFUSED = { action: 'submit', outcome: 'out-of-bounds', caller: 'alice', client: '192.0.2.1' }

test('what is refused again and again is told at once, then together', async () => {
  const { entries, repeats } = create(5, 20)
  for (let n = 0; n < 1000; n++) await repeats.record({ ...REFUSED, sha256: `hash ${n}` })
  const others = [
    { ...REFUSED, caller: 'bob' },
    { ...REFUSED, outcome: 'forbidden' },
    { ...REFUSED, action: 'cancel' },
  ]
  for (const other of others) await repeats.record(other)
  assert.deepEqual(entries, [{ ...REFUSED, sha256: 'hash 0' }, ...others])
  await waitFor('the others are told', () => entries.length === 5)
  assert.deepEqual(entries[4], { ...REFUSED, count: 999 })
  repeats.close()
  assert.equal(entries.length, 5)
})

test('a line of many has what they have in common; one of a single one has all of it', async () => {
  const { entries, repeats } = create(5)
  for (const client of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
    await repeats.record({ ...REFUSED, client, job: 'x' })
    await repeats.record({ ...REFUSED, action: `once from ${client}` })
  }
  await repeats.record({ ...REFUSED, action: 'once from 192.0.2.2', job: 'y' })
  repeats.close()
  const { client, ...common } = REFUSED
  assert.deepEqual(entries.slice(-2), [
    { ...common, job: 'x', count: 2 },
    { ...REFUSED, action: 'once from 192.0.2.2', job: 'y' },
  ])
})

test('what goes on is told ever more seldom, and begins anew after an hour without it', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { entries, repeats } = create(5, 10_000)
  const toldAt: number[] = []
  const pass = (intervals: number): void => {
    const before = entries.length
    t.mock.timers.tick(intervals * 10_000)
    if (entries.length > before) toldAt.push(asked)
  }
  let asked = 0
  while (asked < 360) {
    await repeats.record(REFUSED)
    asked++
    pass(1)
  }
  // The first of all was told at once.
  assert.deepEqual(toldAt, [2, 6, 22, 82, 142, 202, 262, 322])
  pass(360)
  assert.equal(
    entries.reduce((sum, { count = 1 }) => sum + count, 0),
    360,
  )
  const before = entries.length
  await repeats.record(REFUSED)
  assert.equal(entries.length, before + 1)
  repeats.close()
})

test('what comes from more addresses than are told apart shares a line', async () => {
  const { entries, repeats } = create(1000)
  const failed = { action: 'authenticate', outcome: 'token-wrong' }
  for (let n = 0; n < 3000; n++) await repeats.record({ ...failed, client: `address ${n}` }, `network ${n}`)
  assert.equal(entries.length, 1001)
  for (let n = 0; n < 3000; n++) await repeats.record({ ...failed, client: `address ${n}` }, `network ${n}`)
  assert.equal(entries.length, 1001)
  repeats.close()
  assert.deepEqual(entries.at(-1), { ...failed, count: 3999 })
  assert.deepEqual(entries.at(-2), { ...failed, client: 'address 999' })
})
