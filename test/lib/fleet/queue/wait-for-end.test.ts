import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimed, runEnded } from '../../../../lib/fleet/queue/changes.ts'
import type { QueuedJob } from '../../../../lib/fleet/queue/queued-job.ts'
import { waitForEnd } from '../../../../lib/fleet/queue/wait-for-end.ts'
import { waitFor } from '../../../support/wait-for.ts'
import { AT, endOf, waitingJob } from './sample.ts'

const HOUR_MS = 3600_000
/** That of the sample. */
const EXPIRES_AT = Date.parse('2027-01-16T08:00:00.000Z')

/** Who waits for the sample, with a clock that is off; `engineNow` is the engine's. */
const setUp = ({ engineNow, aheadMs }: { engineNow: number; aheadMs: number }) => {
  let time = engineNow
  const record = { job: waitingJob() as QueuedJob, revision: 1, writtenAt: Date.parse(AT) }
  let writes = 0
  let tell = (): void => {}
  const set = async (job: QueuedJob, revision: number): Promise<number | undefined> => {
    if (revision !== record.revision) return undefined
    writes++
    Object.assign(record, { job, revision: revision + 1, writtenAt: time })
    tell()
    return record.revision
  }
  const watch = async () => {
    const over = new AbortController()
    return {
      stop: () => {
        over.abort()
        tell()
      },
      async *[Symbol.asyncIterator]() {
        while (!over.signal.aborted) {
          const told = Promise.withResolvers<void>()
          tell = told.resolve
          await told.promise
          yield {}
        }
      },
    }
  }
  const giveUp = new AbortController()
  let looks = 0
  const ended = waitForEnd(record.job.id, {
    records: {
      async get() {
        looks++
        return { ...record }
      },
      set,
    },
    opened: async () => ({ watch }) as never,
    signal: giveUp.signal,
    isClosed: () => false,
    now: () => time + aheadMs,
  })
  return {
    ended,
    record,
    set,
    giveUp,
    countLooks: () => looks,
    countWrites: () => writes,
    at(ms: number): void {
      time = ms
    },
  }
}

test('who waits with a clock that is ahead does not have the job end', async () => {
  const own = setUp({ engineNow: EXPIRES_AT - HOUR_MS, aheadMs: 2 * HOUR_MS })
  await waitFor('it has looked', () => own.countLooks() > 2)
  assert.equal(own.record.job.state, 'waiting')
  // It knows the engine's clock by now, and writes no more.
  assert.equal(own.countWrites(), 1)
  const ended = runEnded(claimed(own.record.job, 'db1', AT)!, 1, endOf())!
  await own.set(ended, own.record.revision)
  const told = await own.ended
  assert.equal(told.ok && told.value.state, 'ended')
})

test('what has expired by the clock of the engine is recorded as such, at the time of that', async () => {
  for (const aheadMs of [0, 2 * HOUR_MS]) {
    const own = setUp({ engineNow: EXPIRES_AT + 60_000, aheadMs })
    const told = await own.ended
    assert.ok(told.ok && told.value.state === 'dead')
    assert.deepEqual(
      [told.value.reason, told.value.at],
      ['expired', new Date(EXPIRES_AT + 60_000).toISOString()],
    )
    assert.deepEqual(own.record.job, told.value)
  }
})

test('what has just expired may still be with an agent', async () => {
  const own = setUp({ engineNow: EXPIRES_AT + 30_000, aheadMs: 0 })
  await waitFor('it has looked', () => own.countLooks() > 0)
  own.giveUp.abort()
  assert.equal((await own.ended).ok, false)
  assert.equal(own.record.job.state, 'waiting')
})
