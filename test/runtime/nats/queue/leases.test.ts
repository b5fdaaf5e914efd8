import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { leasePrefixOf } from '../../../../lib/fleet/queue/engine-names.ts'
import { createLeases, type LeasesOptions } from '../../../../runtime/nats/queue/leases.ts'
import { createFakeKv } from '../../../support/fake-kv.ts'
import { recordingLog } from '../../../support/recording-log.ts'

const DB = { name: 'role', value: 'db' }
const WEB = { name: 'role', value: 'web' }
const LEASE_MS = 60_000
const FIRST = `${leasePrefixOf(DB)}0`

type FakeKv = ReturnType<typeof createFakeKv>

const agentOn = (bucket: ReturnType<LeasesOptions['bucket']>, host: string) => {
  const { log, lines } = recordingLog()
  const leases = createLeases({ bucket: () => bucket, leaseMs: () => LEASE_MS, host, log })
  return { ...leases, lines }
}

/** Two agents on one bucket, whose timers a test moves by hand. */
const setUp = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const bucket = createFakeKv()
  return {
    bucket,
    db1: agentOn(bucket, 'db1'),
    db2: agentOn(bucket, 'db2'),
    /** Lets everybody renew what they hold as often as a lease lasts. */
    async pass(leases = 1): Promise<void> {
      for (let quarter = 0; quarter < 4 * leases; quarter++) {
        t.mock.timers.tick(LEASE_MS / 4)
        await settled()
      }
    },
  }
}

/** All that was begun is done: nothing here waits for more than promises. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const holderOf = (bucket: FakeKv, key = FIRST): string | undefined => {
  const text = bucket.text(key)
  return text === undefined ? undefined : JSON.parse(text).host
}

test('as many have a lease as the limit says, whichever key each tries first', async t => {
  const { db1, db2, bucket } = setUp(t)
  for (const limit of [1, 2, 5]) {
    // The one whose first try it is may be any of the keys; whoever comes last finds the one that is left.
    for (const [n, random] of [0, 0.5, 0.999, 0.3].entries()) {
      const mock = t.mock.method(Math, 'random', () => random)
      const label = { name: 'role', value: `limit${limit}-${n}` }
      const agents = Array.from({ length: limit }, (_, one) => (one % 2 === 0 ? db1 : db2))
      const held = []
      for (const agent of agents) held.push(await agent.acquire(label, limit, `job-${held.length}`))
      assert.ok(
        held.every(lease => lease !== undefined),
        `${limit} at ${random}`,
      )
      assert.equal(await db1.acquire(label, limit, 'one-too-many'), undefined)
      assert.equal(bucket.keys().filter(key => key.startsWith(leasePrefixOf(label))).length, limit)
      mock.mock.restore()
    }
  }
})

test('those who want the last one at the same time do not both get it', async t => {
  const { db1, db2 } = setUp(t)
  const held = await Promise.all([db1.acquire(DB, 1, 'one'), db2.acquire(DB, 1, 'other')])
  assert.equal(held.filter(lease => lease !== undefined).length, 1)
})

test('the limit of one label says nothing of another', async t => {
  const { db1 } = setUp(t)
  assert.ok(await db1.acquire(DB, 1, 'one'))
  assert.ok(await db1.acquire(WEB, 1, 'other'))
})

test('a lease that is released is free for the next, once', async t => {
  const { db1, db2, bucket } = setUp(t)
  const lease = await db1.acquire(DB, 1, 'one')
  assert.equal(await db2.acquire(DB, 1, 'other'), undefined)
  lease?.release()
  await settled()
  assert.deepEqual(bucket.keys(), [])
  assert.ok(await db2.acquire(DB, 1, 'other'))
  // Released twice it does not take the other's away.
  lease?.release()
  await settled()
  assert.equal(holderOf(bucket), 'db2')
})

test('a lease is renewed for as long as it is held, and not after', async t => {
  const { db1, bucket, pass } = setUp(t)
  const lease = await db1.acquire(DB, 1, 'one')
  const revisions: number[] = []
  for (let n = 0; n < 3; n++) {
    await pass()
    revisions.push((await bucket.get(FIRST))!.revision)
  }
  assert.ok(revisions[0]! > 1 && revisions[1]! > revisions[0]! && revisions[2]! > revisions[1]!)
  lease?.release()
  await pass(2)
  assert.deepEqual([bucket.keys(), db1.lines.length], [[], 0])
})

test('one that the engine has freed meanwhile is taken again where nobody else has it', async t => {
  const { db1, db2, bucket, pass } = setUp(t)
  await db1.acquire(DB, 1, 'one')
  bucket.expire(FIRST)
  await pass()
  assert.equal(holderOf(bucket), 'db1')
  assert.equal(await db2.acquire(DB, 1, 'other'), undefined)
  assert.equal(db1.lines.length, 0)
})

test('one that another has by then is left to it, which is said once; its release takes nothing away', async t => {
  const { db1, db2, bucket, pass } = setUp(t)
  const lost = await db1.acquire(DB, 1, 'one')
  bucket.expire(FIRST)
  const held = await db2.acquire(DB, 1, 'other')
  await pass(3)
  assert.equal(holderOf(bucket), 'db2')
  assert.deepEqual(
    db1.lines.map(({ level }) => level),
    ['warn'],
  )
  assert.equal(db2.lines.length, 0)
  lost?.release()
  await settled()
  assert.equal(holderOf(bucket), 'db2')
  held?.release()
  await settled()
  assert.deepEqual(bucket.keys(), [])
})

test('one that was lost before anybody has noticed is not taken from who has it by then', async t => {
  const { db1, db2, bucket } = setUp(t)
  const lost = await db1.acquire(DB, 1, 'one')
  bucket.expire(FIRST)
  await db2.acquire(DB, 1, 'other')
  lost?.release()
  await settled()
  assert.equal(holderOf(bucket), 'db2')
})

test('a renewal that was done although its answer was lost does not lose the lease', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const bucket = createFakeKv()
  let loses = false
  const lossy = {
    ...bucket,
    async put(...args: Parameters<FakeKv['put']>) {
      const revision = await bucket.put(...args)
      if (loses) throw new Error('timeout')
      return revision
    },
  }
  const db1 = agentOn(lossy, 'db1')
  const lease = await db1.acquire(DB, 1, 'one')
  for (const fails of [true, false, false]) {
    loses = fails
    t.mock.timers.tick(LEASE_MS / 4)
    await settled()
  }
  assert.deepEqual([holderOf(bucket), db1.lines.length], ['db1', 0])
  lease?.release()
  await settled()
  assert.deepEqual(bucket.keys(), [])
})

test('an engine that does not answer gives no lease, and says so', async () => {
  const away = createFakeKv()
  const error = new Error('no responders')
  const agent = agentOn({ ...away, put: () => Promise.reject(error) }, 'db1')
  await assert.rejects(agent.acquire(DB, 1, 'one'), error)
})

test('an agent that ends leaves no lease: what it has asked for last is waited for, and given back', async () => {
  const bucket = createFakeKv()
  const answers: (() => void)[] = []
  const slowly = async <T>(act: () => Promise<T>): Promise<T> => {
    await new Promise<void>(resolve => answers.push(resolve))
    return act()
  }
  const agent = agentOn(
    {
      get: (...args) => slowly(() => bucket.get(...args)),
      put: (...args) => slowly(() => bucket.put(...args)),
      delete: (...args) => slowly(() => bucket.delete(...args)),
    },
    'db1',
  )
  // Nobody waits for it any more when it comes.
  const late = agent.acquire(DB, 1, 'job-of-nobody').then(lease => void lease?.release())
  let isOver = false
  const over = agent.settled().then(() => {
    isOver = true
  })
  await settled()
  assert.deepEqual([isOver, answers.length], [false, 1])
  answers.shift()!()
  await late
  await settled()
  assert.deepEqual([isOver, holderOf(bucket), answers.length], [false, 'db1', 1])
  answers.shift()!()
  await over
  assert.deepEqual(bucket.keys(), [])
})
