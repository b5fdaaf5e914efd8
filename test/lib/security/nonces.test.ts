import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createNonces as create, type NoncesOptions } from '../../../lib/security/nonces.ts'
import type { NonceStore } from '../../../lib/store/nonce-store.ts'
import { openDatabase } from '../../../lib/store/sqlite/database.ts'
import { createNonceStore } from '../../../lib/store/sqlite/nonces.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { waitFor } from '../../support/wait-for.ts'

const directory = scratchDirectory()
let files = 0

const open = (path = join(directory, `${files++}.db`)) => {
  const database = openDatabase(path, recordingLog().log)
  return { path, database, store: createNonceStore(database) }
}

const createNonces = (options: Omit<NoncesOptions, 'log'>) => {
  const { log, lines } = recordingLog()
  return { ...create({ intervalMs: 5, ...options, log }), lines }
}

const USED = { code: 'nonce-used' }
const NOT_REMEMBERED = { code: 'nonce-not-remembered' }
const setBack = (seconds: number) => ({ code: 'clock-set-back', details: { seconds } })

test('a nonce is accepted once for each key', () => {
  const { store, database } = open()
  const nonces = createNonces({ store, now: () => 0 })
  nonces.use('a', 'n', 1000)
  assert.throws(() => nonces.use('a', 'n', 1000), USED)
  assert.throws(() => nonces.use('a', 'n', 2000), USED)
  nonces.use('b', 'n', 1000)
  nonces.use('a', 'm', 1000)
  database.close()
})

test('a nonce that was used is known to the next agent', () => {
  const first = open()
  createNonces({ store: first.store, now: () => 0 }).use('a', 'n', 1000)
  first.database.close()
  const second = open(first.path)
  const nonces = createNonces({ store: second.store, now: () => 0 })
  assert.throws(() => nonces.use('a', 'n', 1000), USED)
  second.database.close()
})

test('when as many are remembered as there may be, new ones are refused until old ones are too old', () => {
  const { store, database } = open()
  let now = 0
  const nonces = createNonces({ store, now: () => now, most: 3 })
  for (const nonce of ['1', '2', '3']) nonces.use('a', nonce, 1000 + Number(nonce))
  assert.throws(() => nonces.use('a', '4', 1004), NOT_REMEMBERED)
  assert.throws(() => nonces.use('a', '1', 1001), NOT_REMEMBERED)
  now = 1002
  nonces.use('a', '4', 2000)
  assert.throws(() => nonces.use('a', '2', 1002), NOT_REMEMBERED)
  assert.throws(() => nonces.use('a', '5', 2000), NOT_REMEMBERED)
  assert.equal(store.count(), 3)
  database.close()
})

test('what was removed is refused also when the clock is set back, and after a restart', () => {
  const { store, database, path } = open()
  let now = 0
  const nonces = createNonces({ store, now: () => now, most: 1 })
  nonces.use('a', 'old', 1000)
  now = 1001
  nonces.use('a', 'new', 5000)
  now = 0
  assert.throws(() => nonces.use('a', 'old', 1000), setBack(1))
  database.close()
  const again = open(path)
  const later = createNonces({ store: again.store, now: () => 0 })
  assert.throws(() => later.use('a', 'old', 1000), setBack(1))
  later.use('a', 'other', 1001)
  again.database.close()
})

test('those that are too old are removed in bounded steps', () => {
  const { store, database } = open()
  for (let at = 1; at <= 10; at++) store.insert(Buffer.from([at]), at)
  assert.equal(store.removeExpired(8, 3), 3)
  assert.equal(store.removedUntil(), 3)
  assert.equal(store.removeExpired(8, 100), 4)
  assert.deepEqual([store.removedUntil(), store.count()], [7, 3])
  assert.equal(store.removeExpired(8, 100), 0)
  database.close()
})

const YEAR_MS = 365 * 24 * 3600_000
const VALID_MS = 5 * 60_000

test('after the clock was a year ahead signatures are refused for minutes, not for a year, and it is said', async () => {
  const { store, database, path } = open()
  let now = 0
  const nonces = createNonces({ store, now: () => now })
  const use = (nonce: string, madeAt = now) => nonces.use('a', nonce, madeAt + VALID_MS)
  use('before')
  now = YEAR_MS
  for (let n = 0; n < 70; n++) use(`ahead ${n}`)
  now += 11 * 60_000
  for (let n = 0; n < 70; n++) use(`later ${n}`)
  assert.ok(store.removedUntil() > YEAR_MS)
  now = 60_000
  await waitFor('it is noticed', () => nonces.lines.length === 1)
  assert.match(nonces.lines[0]!.message, /THE CLOCK WAS SET BACK/)
  assert.throws(() => use('before', 0), setBack(361))
  assert.throws(() => use('fresh'), setBack(301))
  // Also by an agent that is started meanwhile, and no longer for that.
  nonces.close()
  database.close()
  const again = open(path)
  now += 300_000
  const next = createNonces({ store: again.store, now: () => now })
  assert.throws(() => next.use('a', 'fresh', now + VALID_MS), setBack(1))
  now += 1000
  next.use('a', 'fresh', now + VALID_MS)
  assert.throws(() => next.use('a', 'before', VALID_MS), { code: 'clock-set-back' })
  next.close()
  again.database.close()
})

test('an agent that is started after the clock was corrected notices it too', () => {
  const { store, database } = open()
  store.insert(Buffer.from('x'), YEAR_MS)
  store.removeExpired(2 * YEAR_MS, 1)
  const nonces = createNonces({ store, now: () => 0 })
  assert.equal(nonces.lines.length, 1)
  assert.equal(store.removedUntil(), 10 * 60_000)
  nonces.close()
  database.close()
})

test('also while the store fails no nonce is taken that may have been removed', () => {
  const { store, database } = open()
  store.insert(Buffer.from('x'), 5000)
  store.removeExpired(6000, 1)
  const fail = () => {
    throw new Error('database or disk is full')
  }
  const failing = { ...store, insert: fail, removeExpired: fail }
  const nonces = createNonces({ store: failing, now: () => 0 })
  assert.throws(() => nonces.use('a', 'n', 5000), setBack(1))
  assert.equal(nonces.use('a', 'n', 5001), false)
  nonces.close()
  database.close()
})

/** What a disk that is full for a while makes of a store. */
const failingAtFirst = (store: NonceStore) => {
  let fails = true
  return {
    heal: () => {
      fails = false
    },
    store: {
      ...store,
      insert(hash: Uint8Array, expiresAt: number) {
        if (fails) throw new Error('database or disk is full')
        return store.insert(hash, expiresAt)
      },
    },
  }
}

test('what a failing store has not taken is stored as soon as it takes it again, without another use', async () => {
  const { store, database } = open()
  const failing = failingAtFirst(store)
  const nonces = createNonces({ store: failing.store, now: () => 0 })
  nonces.use('a', 'n', 1000)
  failing.heal()
  await waitFor('it is stored', () => store.count() === 1)
  assert.throws(() => nonces.use('a', 'n', 1000), USED)
  nonces.close()
  database.close()
})

test('the end of the agent is the last time to store them, and what is lost is said', () => {
  const { store, database } = open()
  for (const [heals, stored, lines] of [
    [true, 1, 0],
    [false, 1, 1],
  ] as const) {
    const failing = failingAtFirst(store)
    const nonces = createNonces({ store: failing.store, now: () => 0, intervalMs: 1e6 })
    nonces.use('a', `n ${heals}`, 1000)
    if (heals) failing.heal()
    nonces.close()
    assert.deepEqual([store.count(), nonces.lines.length], [stored, lines])
  }
  database.close()
})

test('while the store fails a nonce is still accepted once, also one that is stored, and stored later', () => {
  const { store, database } = open()
  let fails = false
  const failing: NonceStore = {
    ...store,
    insert(hash, expiresAt) {
      if (fails) throw new Error('database or disk is full')
      return store.insert(hash, expiresAt)
    },
  }
  const nonces = createNonces({ store: failing, now: () => 0, intervalMs: 1e6 })
  nonces.use('a', 'before', 1000)
  fails = true
  assert.throws(() => nonces.use('a', 'before', 1000), USED)
  assert.equal(nonces.use('a', 'meanwhile', 1000), false)
  assert.throws(() => nonces.use('a', 'meanwhile', 1000), USED)
  assert.equal(store.count(), 1)
  fails = false
  assert.equal(nonces.use('a', 'after', 1000), true)
  assert.equal(store.count(), 3)
  const next = createNonces({ store, now: () => 0 })
  assert.throws(() => next.use('a', 'meanwhile', 1000), USED)
  database.close()
})

test('what a failing store does not take fills no memory without end', () => {
  const { store, database } = open()
  const insert = () => {
    throw new Error('database or disk is full')
  }
  const nonces = createNonces({ store: { ...store, insert }, now: () => 0 })
  for (let n = 0; n < 10_000; n++) nonces.use('a', `n${n}`, 1000)
  assert.throws(() => nonces.use('a', 'one more', 1000), NOT_REMEMBERED)
  database.close()
})

test('a store that cannot even be read lets nothing through', () => {
  const fail = () => {
    throw new Error('disk I/O error')
  }
  const { store, database } = open()
  const nonces = createNonces({ store: { ...store, insert: fail, has: fail }, now: () => 0 })
  assert.throws(() => nonces.use('a', 'n', 1000), NOT_REMEMBERED)
  database.close()
})
