import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStrangers } from '../../../../lib/process/linux/strangers.ts'

test('a dead child with a mark is an orphan of a job at once', () => {
  const strangers = createStrangers({ read: pid => (pid === 7 ? 2 ** 51 : undefined) }, 1e9)
  assert.equal(strangers.isOrphan(7), true)
  assert.equal(strangers.isOrphan(8), false)
})

test('one without a mark is an orphan when it stays dead: libuv reaps its own children at once', () => {
  const strangers = createStrangers({ read: () => undefined }, 0)
  assert.equal(strangers.isOrphan(7), false)
  assert.equal(strangers.isOrphan(7), true)
  strangers.forget(7)
  assert.equal(strangers.isOrphan(7), false)
  strangers.forgetAll()
  assert.equal(strangers.isOrphan(7), false)
  const patient = createStrangers({ read: () => undefined }, 1e9)
  assert.equal(patient.isOrphan(7), false)
  assert.equal(patient.isOrphan(7), false)
})

test('when no descriptor is free to look at the mark, nobody is called an orphan', () => {
  const read = (): never => {
    throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' })
  }
  const strangers = createStrangers({ read }, 1e9)
  assert.equal(strangers.isOrphan(7), false)
})
