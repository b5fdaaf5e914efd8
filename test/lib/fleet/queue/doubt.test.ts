import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { claimed, defended } from '../../../../lib/fleet/queue/changes.ts'
import { type Doubt, looked, lookMs, newDoubt, wordMs } from '../../../../lib/fleet/queue/doubt.ts'
import { nextStep } from '../../../../lib/fleet/queue/next-step.ts'
import { AT, waitingJob } from './sample.ts'

const ACK_WAIT_MS = 24_000
const TICK_MS = 100

/** What happens while a job runs. Times are in milliseconds. */
interface Trouble {
  /** The engine is away. */
  outages: { from: number; ms: number }[]
  /** How long the agent that has the job needs to connect again, and the other one. */
  runnerConnectsMs: number
  otherConnectsMs: number
  /** When the agent that has the job is killed. */
  diesAt: number
  /** By how much the clock of the other one is off. */
  skewMs: number
  /** When the engine gives the message to the other one although nobody was silent: one that is killed forgets words. */
  givenAt: number[]
}

/**
 * A model of an engine, of `db1`, which runs a job, and of `db2`, which has a free slot: when `db2` takes the job for
 * lost, if ever; and when `db1` has said something for the last time before that.
 */
const play = (trouble: Trouble, lastsMs: number): { lostAt: number | undefined; wordAt: number } => {
  let job = claimed(waitingJob(), 'db1', AT)!
  let [revision, connection, upSince] = [1, 0, Number.NEGATIVE_INFINITY]
  let [wordAt, nextWordAt, heldAt, nextLookAt] = [0, 0, 0, 0]
  let doubt: Doubt | undefined
  const put = (changed: typeof job) => {
    job = changed
    revision++
  }
  const given = [...trouble.givenAt].sort((a, b) => a - b)
  const step = (now: number, doubted?: number) =>
    nextStep(job, {
      host: 'db2',
      fingerprint: job.fingerprint,
      nowMs: Date.parse(AT) + now + trouble.skewMs,
      revision,
      doubted,
    })
  for (let now = 0; now < lastsMs; now += TICK_MS) {
    if (trouble.outages.some(({ from, ms }) => now >= from && now < from + ms)) {
      if (upSince < now) connection++
      upSince = now + TICK_MS
      // At once when it has connected.
      nextWordAt = 0
      continue
    }
    if (now < trouble.diesAt && now >= upSince + trouble.runnerConnectsMs && now >= nextWordAt) {
      wordAt = now
      nextWordAt = now + wordMs(ACK_WAIT_MS)
      const changed = defended(job, 'db1', 1)
      if (changed) put(changed)
    }
    if (now < upSince + trouble.otherConnectsMs) continue
    if (doubt) {
      heldAt = now
      if (now < nextLookAt) continue
      nextLookAt = now + lookMs(ACK_WAIT_MS)
      const { revision: doubted } = doubt
      const next = looked(doubt, { revision, connection })
      doubt = typeof next === 'string' ? undefined : next
      if (next === 'gone') {
        assert.equal(step(now, doubted).act, 'release')
        return { lostAt: now, wordAt }
      }
      if (next === 'answered') assert.equal(step(now, doubted).act, 'leave')
    } else if (now - Math.max(wordAt, heldAt) >= ACK_WAIT_MS || (given[0] ?? lastsMs) <= now) {
      given.shift()
      const next = step(now)
      assert.ok(next.act === 'doubt')
      put(next.job)
      doubt = newDoubt({ revision, connection })
      nextLookAt = now + lookMs(ACK_WAIT_MS)
    }
  }
  return { lostAt: undefined, wordAt }
}

const LASTS_MS = 300_000
/** Whoever lives is connected again before a doubt is over. */
const connectsMs = fc.integer({ min: 0, max: ACK_WAIT_MS * 0.4 })
const trouble = fc.record({
  outages: fc.array(
    fc.record({
      from: fc.integer({ min: 0, max: LASTS_MS }),
      ms: fc.integer({ min: TICK_MS, max: 3 * ACK_WAIT_MS }),
    }),
    { maxLength: 12 },
  ),
  runnerConnectsMs: connectsMs,
  otherConnectsMs: connectsMs,
  diesAt: fc.constant(Number.POSITIVE_INFINITY),
  skewMs: fc.integer({ min: -1e9, max: 1e9 }),
  givenAt: fc.array(fc.integer({ min: 0, max: LASTS_MS }), { maxLength: 12 }),
})

test('a job that runs is never taken for lost, however often the engine is away and the clocks are off', () => {
  fc.assert(
    fc.property(trouble, one => assert.equal(play(one, LASTS_MS).lostAt, undefined)),
    { numRuns: 2000 },
  )
})

test('the job of an agent that is gone is taken for lost after one and a half times as long as the engine waits', () => {
  const killed = fc.record({
    trouble,
    diesAt: fc.integer({ min: 1000, max: LASTS_MS }),
  })
  fc.assert(
    fc.property(killed, ({ trouble: one, diesAt }) => {
      // What happens before it is killed makes no difference.
      const outages = one.outages.filter(
        ({ from, ms }) => from + ms + one.otherConnectsMs < diesAt - ACK_WAIT_MS,
      )
      const { lostAt, wordAt } = play({ ...one, outages, diesAt, givenAt: [] }, LASTS_MS + 3 * ACK_WAIT_MS)
      assert.ok(lostAt !== undefined && wordAt < diesAt)
      assert.ok(lostAt - wordAt <= 1.5 * ACK_WAIT_MS + 20 * TICK_MS, `${lostAt - wordAt} ms`)
    }),
    { numRuns: 1000 },
  )
})
