import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AgentError } from '../../../lib/base/errors.ts'
import { ZERO_TIME } from '../../../lib/base/timestamp.ts'
import { createTestJobs, requestOf, script, type TestJobs } from '../../support/jobs.ts'
import { know, lives } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'

const withAgent = async (
  options: Parameters<typeof createTestJobs>[0],
  run: (agent: TestJobs) => Promise<void>,
) => {
  const agent = createTestJobs(options)
  try {
    await run(agent)
  } finally {
    await agent.close()
  }
}

describe('the limit on running jobs', () => {
  test('of a hundred submissions at once exactly the limit run, the others are rejected and recorded', () =>
    withAgent({ limit: 5 }, async ({ jobs }) => {
      const request = requestOf({ cmd: 'sleep 1000', async: true })
      const submissions = await Promise.all(Array.from({ length: 100 }, () => jobs.submit(request)))
      const rejected = submissions.filter(submission => submission.rejected)
      assert.equal(rejected.length, 95)
      assert.equal(jobs.countRunning(), 5)
      for (const submission of rejected) {
        assert.equal(submission.running, 5)
        const { state, reason, pid, error, startTime, createTime, finishTime } = (await jobs.get(
          submission.id,
        ))!
        assert.deepEqual([state, reason, pid], ['rejected', 'rejected', 0])
        assert.equal(error, '有 5 个任务正在执行，不能执行新任务，请稍后再尝试')
        assert.deepEqual([startTime, finishTime], [ZERO_TIME, createTime])
      }
      assert.equal((await jobs.list({ limit: 200, states: ['running'] })).length, 5)
      assert.equal((await jobs.list({ limit: 200, states: ['rejected'] })).length, 95)
    }))

  test('a slot is free again as soon as a job has ended, however it ended', () =>
    withAgent({ limit: 1 }, async ({ jobs, run, start }) => {
      const ends = [{ cmd: 'true' }, { cmd: 'exit 1' }, { cmd: 'kill -9 $$' }, { cmd: 'true', cwd: '/nope' }]
      const scripts = [{ script: script('true') }, { cmd: 'sleep 9', timeout: { text: '1ms', ms: 1 } }]
      for (const request of [...ends, ...scripts]) {
        assert.notEqual((await run(request)).state, 'rejected')
        assert.equal(jobs.countRunning(), 0)
      }
      await jobs.cancel(await start({ cmd: 'sleep 1000' }))
      assert.equal(jobs.countRunning(), 0)
    }))

  test('a rejected submission does not use up its key', () =>
    withAgent({ limit: 1 }, async ({ jobs, start }) => {
      const key = { key: 'k', requestHash: new Uint8Array(32) }
      const id = await start({ cmd: 'sleep 1000' })
      assert.equal((await jobs.submit(requestOf({ cmd: 'true' }), key)).rejected, true)
      await jobs.cancel(id)
      assert.equal((await jobs.submit(requestOf({ cmd: 'true' }), key)).rejected, false)
    }))

  test('a job that cannot be stored is refused, not run, and its slot is free', () =>
    withAgent({ limit: 1 }, async ({ jobs, database, run }) => {
      database
        .prepare(
          "CREATE TRIGGER full BEFORE INSERT ON recent_jobs BEGIN SELECT RAISE(FAIL, 'disk full'); END",
        )
        .run()
      await assert.rejects(jobs.submit(requestOf({ cmd: 'true' })), (error: AgentError) =>
        ['stopping', 'not-stored'].includes(error.code),
      )
      assert.equal(jobs.countRunning(), 0)
      database.prepare('DROP TRIGGER full').run()
      assert.equal((await run({ cmd: 'true' })).state, 'success')
    }))

  test('an end that cannot be stored is told all the same, and stored when that is possible again', () =>
    withAgent({}, async ({ jobs, jobStore, database, start }) => {
      const id = await start({ cmd: 'sleep 1000' })
      database
        .prepare(
          "CREATE TRIGGER full BEFORE UPDATE ON recent_jobs BEGIN SELECT RAISE(FAIL, 'disk full'); END",
        )
        .run()
      assert.equal((await jobs.cancel(id)).state, 'canceled')
      assert.equal(jobs.countRunning(), 0)
      assert.equal(jobStore.find(id)?.job.state, 'running')
      assert.equal((await jobs.list({ limit: 1 }))[0]?.state, 'canceled')
      database.prepare('DROP TRIGGER full').run()
      await waitFor('the end is stored', () => jobStore.find(id)?.job.state === 'canceled')
      assert.equal((await jobs.get(id))?.state, 'canceled')
    }))
})

describe('cancels that race the end', () => {
  test('give one final state each, leave the slots right and no process behind', () =>
    withAgent({ limit: 10 }, async ({ jobs, start, lines }) => {
      for (let round = 0; round < 30; round++) {
        const ids = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            start({ cmd: index % 2 ? 'true' : 'sleep 0.00$((RANDOM % 9))' }),
          ),
        )
        const answers = await Promise.allSettled(ids.map(id => jobs.cancel(id)))
        for (const [index, answer] of answers.entries()) {
          await jobs.waitForEnd(ids[index]!)
          const { state } = (await jobs.get(ids[index]!))!
          if (answer.status === 'fulfilled') assert.equal(state, 'canceled')
          else
            assert.ok(
              answer.reason instanceof AgentError &&
                answer.reason.code === 'job-ended' &&
                state !== 'canceled',
            )
        }
        assert.equal(jobs.countRunning(), 0)
      }
      const ended = lines.filter(({ message }) => message === 'job ended').map(({ fields }) => fields.jobId)
      assert.equal(ended.length, 300)
      assert.equal(new Set(ended).size, 300)
    }))
})

describe('closing', () => {
  test('stops every job with the reason agent-stopped and refuses new ones', async () => {
    await withAgent({}, async ({ jobs, start, scripts }) => {
      const ids = [
        await start({ cmd: 'sleep 1000' }),
        await start({ cmd: 'setsid sleep 1000 & wait' }),
        await start({ script: script('sleep 1000') }),
        await start({ cmd: "trap 'exit 5' TERM; while :; do sleep 0.01; done" }),
      ]
      const leaders = (await Promise.all(ids.map(id => jobs.get(id)))).map(job => know(job!.pid))
      const sync = jobs.submit(requestOf({ cmd: 'sleep 1000' })).then(async ({ id }) => {
        await jobs.waitForEnd(id)
        return (await jobs.get(id))!
      })
      const closed = jobs.close(5000)
      await assert.rejects(jobs.submit(requestOf({ cmd: 'true' })), (error: AgentError) =>
        ['stopping', 'not-stored'].includes(error.code),
      )
      await closed
      assert.equal((await sync).reason, 'agent-stopped')
      for (const id of ids) {
        const { state, reason } = (await jobs.get(id))!
        assert.deepEqual([state, reason], ['canceled', 'agent-stopped'])
      }
      assert.deepEqual(leaders.filter(lives), [])
      assert.deepEqual(scripts(), [])
    })
  })

  test('lets no job start that was still waiting for its turn', () =>
    withAgent({ limit: 60 }, async ({ jobs, start, scripts }) => {
      await start({ cmd: 'sleep 1000' })
      const submitted = Promise.all(
        Array.from({ length: 50 }, (_, at) =>
          jobs.submit(
            requestOf(at % 2 ? { cmd: 'true', async: true } : { script: script('true'), async: true }),
          ),
        ),
      )
      const closed = jobs.close(0)
      const ids = (await submitted).map(({ id }) => id)
      await closed
      const ended = await Promise.all(ids.map(async id => (await jobs.get(id))!))
      for (const { state, reason } of ended) assert.deepEqual([state, reason], ['canceled', 'agent-stopped'])
      // One may have been under way.
      const unstarted = ended.filter(({ pid }) => pid === 0)
      assert.ok(unstarted.length >= 49, `${unstarted.length} of 50`)
      assert.deepEqual([...new Set(unstarted.map(({ error }) => error))], ['agent stopped'])
      assert.deepEqual(scripts(), [])
    }))

  test('can be hurried', () =>
    withAgent({}, async ({ jobs, start }) => {
      const id = await start({ cmd: "trap '' TERM; echo ready; while :; do sleep 0.01; done" })
      await waitFor('it ignores TERM', async () => (await jobs.get(id))?.stdout)
      const closed = jobs.close(3_600_000)
      await jobs.close(0)
      await closed
      assert.deepEqual(
        [(await jobs.get(id))?.error, (await jobs.get(id))?.reason],
        ['signal: killed', 'agent-stopped'],
      )
    }))
})
