import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createTestJobs, requestOf } from '../../support/jobs.ts'
import { waitFor } from '../../support/wait-for.ts'

test('polls of a long job leave nothing behind on it', { timeout: 60_000 }, async t => {
  const agent = createTestJobs()
  t.after(agent.close)
  const id = await agent.start({ cmd: 'exec sleep 1000' })
  const poll = async (times: number) => {
    for (let left = times; left > 0; left--) {
      const job = agent.service.open(id)!
      await job.waitForEnd({ ms: 0 })
      job.close()
    }
  }
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heap = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  await poll(2000)
  const before = heap()
  await poll(20_000)
  const perPoll = (heap() - before) / 20_000
  assert.ok(perPoll < 50, `${perPoll} bytes a poll`)
})

test('waiting ends with the job, after its time, or when the one who waits has gone', async t => {
  const agent = createTestJobs()
  t.after(agent.close)
  const id = await agent.start({ cmd: 'exec sleep 1000' })
  const job = agent.service.open(id)!
  await job.waitForEnd({ ms: 1 })
  const gone = new AbortController()
  const waiting = job.waitForEnd({ signal: gone.signal })
  gone.abort()
  await waiting
  await job.waitForEnd({ signal: gone.signal })
  assert.equal((await job.now())?.job.state, 'running')
  const ended = job.waitForEnd()
  await agent.service.cancel(id, 0)
  await ended
  assert.equal((await job.now())?.job.state, 'canceled')
  await job.waitForEnd()
  job.close()
})

test('whoever waits for the end finds the output, however soon newer jobs push the job out', async t => {
  const agent = createTestJobs({ limit: 20, retentionLimits: { ageMs: 1e9, jobs: 1, bytes: 1 } })
  t.after(agent.close)
  const clients = Array.from({ length: 10 }, async (_, client) => {
    for (let round = 0; round < 20; round++) {
      const text = `${client}-${round}`
      const { id } = await agent.jobs.submit(requestOf({ cmd: `echo ${text}` }))
      const job = agent.service.open(id)
      assert.ok(job, 'the job is there for whoever has submitted it')
      await job.waitForEnd()
      const record = await job.now()
      assert.equal(record?.job.state, 'success')
      assert.equal([...job.output.snapshot().texts('stdout')].join(''), `${text}\n`)
      job.close()
    }
  })
  await Promise.all(clients)
  await waitFor('the history is as short as it should be', () => {
    agent.retention.prune(Date.now())
    return agent.jobs.list({ limit: 200 }).length <= 1
  })
})
