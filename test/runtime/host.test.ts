import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { createHostFacts } from '../../runtime/host.ts'

const DISK = { freeBytes: 1, totalBytes: 2 }
const never = (): Promise<never> => new Promise(() => {})
const fail = async (): Promise<never> => {
  throw new Error('EIO')
}

test('the host is told by its name, its system, its processors and its memory', async () => {
  const facts = createHostFacts({ disk: async () => DISK, storeBytes: async () => 3 })
  const { host, disk, storeBytes } = await facts()
  assert.deepEqual([host.name, disk, storeBytes], [hostname(), DISK, 3])
  assert.ok(host.cpus >= 1 && host.memoryBytes > 10_000_000)
  for (const text of [host.system, host.release, host.machine]) assert.notEqual(text, '')
})

test('what cannot be looked at is null, whatever else can', async () => {
  const one = await createHostFacts({ disk: fail, storeBytes: async () => 3 })()
  assert.deepEqual([one.disk, one.storeBytes], [null, 3])
  const other = await createHostFacts({ disk: async () => DISK, storeBytes: fail })()
  assert.deepEqual([other.disk, other.storeBytes], [DISK, null])
})

test('a disk that hangs is null when the time is up, and is looked at once until that look is over', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let looks = 0
  let hanging = Promise.withResolvers<typeof DISK>()
  const facts = createHostFacts({
    disk: () => {
      looks++
      return hanging.promise
    },
    storeBytes: never,
  })
  for (let n = 0; n < 5; n++) {
    const told = facts()
    t.mock.timers.tick(500)
    const { disk, storeBytes } = await told
    assert.deepEqual([disk, storeBytes], [null, null])
  }
  assert.equal(looks, 1)
  hanging.reject(new Error('EIO'))
  await new Promise(setImmediate)
  hanging = Promise.withResolvers()
  hanging.resolve(DISK)
  const told = facts()
  await new Promise(setImmediate)
  t.mock.timers.tick(500)
  assert.deepEqual([(await told).disk, looks], [DISK, 2])
})
