import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createNonces } from '../../../lib/security/nonces.ts'
import type { NonceStore } from '../../../lib/store/nonce-store.ts'
import { openDatabase } from '../../../lib/store/sqlite/database.ts'
import { createNonceStore } from '../../../lib/store/sqlite/nonces.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const directory = scratchDirectory()
let files = 0

const open = (path = join(directory, `${files++}.db`)) => {
  const database = openDatabase(path, recordingLog().log)
  return { path, database, store: createNonceStore(database) }
}

const USED = { code: 'nonce-used' }
const NOT_REMEMBERED = { code: 'nonce-not-remembered' }

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
  assert.throws(() => nonces.use('a', 'old', 1000), USED)
  database.close()
  const again = open(path)
  const later = createNonces({ store: again.store, now: () => 0 })
  assert.throws(() => later.use('a', 'old', 1000), USED)
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
  const nonces = createNonces({ store: failing, now: () => 0 })
  nonces.use('a', 'before', 1000)
  fails = true
  assert.throws(() => nonces.use('a', 'before', 1000), USED)
  nonces.use('a', 'meanwhile', 1000)
  assert.throws(() => nonces.use('a', 'meanwhile', 1000), USED)
  assert.equal(store.count(), 1)
  fails = false
  nonces.use('a', 'after', 1000)
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
