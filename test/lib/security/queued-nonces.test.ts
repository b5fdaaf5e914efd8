import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNonces as create, type NoncesOptions } from '../../../lib/security/nonces.ts'
import type { NonceStore } from '../../../lib/store/nonce-store.ts'
import { memoryNonceStore } from '../../support/nonces.ts'
import { recordingLog } from '../../support/recording-log.ts'

const USED = { code: 'nonce-used' }
const ID = 'deploy-42-of-db'
const EXPIRES = 1000

const createNonces = (options: Partial<NoncesOptions> & Pick<NoncesOptions, 'store'>) =>
  create({ now: () => 0, log: recordingLog().log, intervalMs: 1e6, ...options })

/** A store that throws whenever a test says so. */
const failingStore = () => {
  const store = memoryNonceStore()
  const fails = { insert: false, has: false }
  const orThrow =
    <A extends unknown[], R>(name: keyof typeof fails, method: (...args: A) => R) =>
    (...args: A): R => {
      if (fails[name]) throw new Error('database or disk is full')
      return method(...args)
    }
  const failing: NonceStore = {
    ...store,
    insert: orThrow('insert', store.insert),
    has: orThrow('has', store.has),
  }
  return { store: failing, kept: store, fails }
}

test('what was used up while the store failed does not come again', () => {
  const { store, fails } = failingStore()
  const nonces = createNonces({ store })
  fails.insert = true
  assert.equal(nonces.useUp('ci', ID, EXPIRES), true)
  assert.throws(() => nonces.assertUnused('ci', ID), USED)
  nonces.assertUnused('ci', 'another-id')
  nonces.assertUnused('other', ID)
})

test('it is stored once the store takes it again, and the next agent knows it', () => {
  const { store, kept, fails } = failingStore()
  const nonces = createNonces({ store })
  fails.insert = true
  nonces.useUp('ci', ID, EXPIRES)
  nonces.useUp('ci', ID, EXPIRES)
  assert.equal(kept.count(), 0)
  fails.insert = false
  nonces.close()
  assert.equal(kept.count(), 1)
  assert.throws(() => createNonces({ store: kept }).assertUnused('ci', ID), USED)
})

test('what a store that cannot be read may know is not let through', () => {
  const { store, fails } = failingStore()
  const nonces = createNonces({ store })
  nonces.useUp('ci', ID, EXPIRES)
  fails.has = true
  for (const id of [ID, 'another-id'])
    assert.throws(() => nonces.assertUnused('ci', id), { code: 'nonce-not-remembered' })
})

test('what was used up is no nonce of a request that has come directly, and the other way round', () => {
  const nonces = createNonces({ store: memoryNonceStore() })
  nonces.useUp('ci', ID, EXPIRES)
  assert.equal(nonces.use('ci', ID, EXPIRES), true)
  nonces.use('ci', 'a-nonce', EXPIRES)
  nonces.assertUnused('ci', 'a-nonce')
})

test('those of the queue, which last for days, leave half of the room to the others', () => {
  const nonces = createNonces({ store: memoryNonceStore(), most: 10 })
  const taken = Array.from({ length: 10 }, (_, n) => nonces.useUp('ci', `queued-${n}`, EXPIRES))
  assert.deepEqual(taken.filter(Boolean).length, 5)
  for (let n = 0; n < 5; n++) assert.equal(nonces.use('ci', `direct-${n}`, EXPIRES), true)
  // What found no room is not taken for used.
  nonces.assertUnused('ci', 'queued-9')
})

test('and no more memory than a failing store may cost', () => {
  const { store, fails } = failingStore()
  const nonces = createNonces({ store })
  fails.insert = true
  for (let n = 0; n < 10_000; n++) assert.equal(nonces.useUp('ci', `queued-${n}`, EXPIRES), true)
  assert.equal(nonces.useUp('ci', 'one-more', EXPIRES), false)
})
