import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createTestJobs, requestOf } from '../../support/jobs.ts'
import { waitFor } from '../../support/wait-for.ts'

test('polls of a long job leave nothing behind on it', async t => {
  const agent = createTestJobs()
  t.after(agent.close)
  const id = await agent.start({ cmd: 'exec sleep 1000' })
  const pollOnce = async () => {
    const job = agent.service.open(id)!
    await job.waitForEnd({ ms: 0 })
    job.close()
  }
  /** A hundred at a time. */
  const poll = async (hundreds: number) => {
    for (let left = hundreds; left > 0; left--) await Promise.all(Array.from({ length: 100 }, pollOnce))
  }
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heap = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  await poll(20)
  const before = heap()
  await poll(200)
  const perPoll = (heap() - before) / 20_000
  assert.ok(perPoll < 150, `${perPoll} bytes a poll`)
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
  await agent.jobs.cancel(id, 0)
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
  await waitFor('the history is as short as it should be', async () => {
    agent.retention.prune(Date.now())
    return (await agent.jobs.list({ limit: 200 })).length <= 1
  })
})

test('nothing prunes a job that is open, and closing it twice lets it go once', async t => {
  const agent = createTestJobs({ retentionLimits: { ageMs: 1e9, jobs: 0, bytes: 0 } })
  t.after(agent.close)
  const { id } = await agent.jobs.submit(requestOf({ cmd: 'echo text' }))
  const [first, second] = [agent.service.open(id)!, agent.service.open(id)!]
  await first.waitForEnd()
  const prune = async () => {
    await setImmediate() // Jobs that have just ended are kept for a turn in any case.
    agent.retention.prune(Date.now())
  }
  const text = () => [...second.output.snapshot().texts('stdout')].join('')
  await prune()
  assert.equal(text(), 'text\n')
  first.close()
  first.close()
  await prune()
  assert.equal(text(), 'text\n')
  second.close()
  await prune()
  assert.equal(agent.service.open(id), undefined)
})

test('a job that has just ended is there, with its output, for the rest of the turn', async t => {
  const agent = createTestJobs({ retentionLimits: { ageMs: 1e9, jobs: 0, bytes: 0 } })
  t.after(agent.close)
  const seen = Promise.withResolvers<string>()
  agent.events.subscribe(({ kind, job }) => {
    if (kind !== 'ended') return
    process.nextTick(() => {
      agent.retention.prune(Date.now())
      const open = agent.service.open(job.id)
      seen.resolve([...(open?.output.snapshot().texts('stdout') ?? [])].join(''))
      open?.close()
    })
  })
  await agent.jobs.submit(requestOf({ cmd: 'echo text' }))
  assert.equal(await seen.promise, 'text\n')
})
