import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect, type WatchEvent, type WatchOptions } from '../../lib/client/client.ts'
import { eventReader } from '../handlers/server-sent-events.ts'
import { createHome, type RunningAgent, SECRET, startAgent } from '../support/agent.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { waitFor } from '../support/wait-for.ts'

/** A test that fails must not go on watching. */
const watches = new Set<AbortController>()

/** Watches in the background; `seen` grows. */
const startWatching = (url: string, options: WatchOptions = {}) => {
  const seen: WatchEvent[] = []
  const stop = new AbortController()
  watches.add(stop)
  const client = connect(url, { credentials: { secret: SECRET }, patienceMs: Number.POSITIVE_INFINITY })
  const done = (async () => {
    for await (const event of client.watch({ ...options, signal: stop.signal })) seen.push(event)
  })()
  done.catch(() => {})
  const jobs = () => seen.filter(event => event.type === 'job')
  return {
    seen,
    jobs,
    /** The last that is known of each. */
    states: () => new Map(jobs().map(({ job }) => [job.id, job.state])),
    resets: () => seen.filter(event => event.type === 'reset'),
    async stop() {
      stop.abort()
      await assert.rejects(done, { word: 'aborted' })
    },
  }
}

describe('all jobs, live', () => {
  const home = createHome()
  let agent: RunningAgent
  let proxy: Awaited<ReturnType<typeof startCuttingProxy>>

  before(async () => {
    agent = await startAgent(home, { env: { AGENT_MAX_RUNNING: '20' } })
    proxy = await startCuttingProxy(agent.url)
  })
  after(async () => {
    for (const watch of watches) watch.abort()
    await proxy.close()
    await agent.end()
    await home.assertClean()
    home.remove()
  })

  const submit = async (cmd: string): Promise<string> => (await agent.execute({ cmd, async: true })).id

  test('nothing is missed and nothing comes twice, however often the connection breaks', async () => {
    const watching = startWatching(proxy.url)
    await waitFor('it watches', () => watching.seen.length >= 2)
    const ids: string[] = []
    let broken = 0
    for (let round = 0; round < 12; round++) {
      proxy.cutAfter([round * 200, 1500, 0, 3000 + round * 500])
      ids.push(...(await Promise.all(['true', 'exit 3', 'echo x'].map(submit))))
      const isSeen = () => ids.every(id => /success|failed/.test(watching.states().get(id) ?? ''))
      await waitFor('the ends of all jobs are seen', isSeen)
      broken += proxy.connections() - 1
    }
    assert.ok(broken > 10, `${broken} connections were cut`)
    const states = watching.states()
    assert.deepEqual(
      ids.map(id => states.get(id)),
      ids.map((_, index) => (index % 3 === 1 ? 'failed' : 'success')),
    )
    assert.equal(watching.resets().length, 1)
    const seqs = watching.jobs().map(({ position }) => Number(position.split('-')[1]))
    assert.deepEqual(
      seqs,
      [...new Set(seqs)].sort((a, b) => a - b),
    )
    assert.equal(watching.jobs().at(-1)?.running, 0)
    await watching.stop()
  })

  test('what was listed after the reset, and what came then, is what a list has', async () => {
    const watching = startWatching(agent.url)
    await waitFor('it watches', () => watching.resets().length > 0)
    const list = async () => (await agent.call('/api/jobs?limit=200')).data as { id: string; state: string }[]
    const known = new Map((await list()).map(({ id, state }) => [id, state]))
    // More than may run: some are rejected.
    const body = (index: number) => JSON.stringify({ cmd: `sleep 0.${index % 5}`, async: true })
    const headers = { 'Content-Type': 'application/json' }
    const run = (index: number) =>
      agent.call('/api/jobs/execute/cmd', { method: 'POST', headers, body: body(index) })
    await Promise.all(Array.from({ length: 30 }, (_, index) => run(index)))
    const ended = (await waitFor('all have ended', async () => {
      const jobs = await list()
      return jobs.every(({ state }) => state !== 'running') && jobs
    })) as { id: string; state: string }[]
    const all = () => new Map([...known, ...watching.states()])
    await waitFor('all are known', () => [...all().values()].every(state => state !== 'running'))
    assert.deepEqual([...all()].sort(), ended.map(({ id, state }) => [id, state]).sort())
    await watching.stop()
  })

  test('an agent that was killed and started again says that lists must be read anew', async () => {
    const states: boolean[] = []
    const watching = startWatching(agent.url, { onConnection: isConnected => void states.push(isConnected) })
    await waitFor('it watches', () => watching.resets().length > 0)
    const id = await submit('sleep 300')
    await waitFor('the job is seen to run', () => watching.states().get(id) === 'running')
    const { port } = new URL(agent.url)
    await agent.end('SIGKILL')
    agent = await startAgent(home, { env: { AGENT_PORT: port } })
    await waitFor('lists must be read anew', () => watching.resets().length === 2)
    const [before, now] = watching.resets().map(({ position }) => position.split('-')[0])
    assert.notEqual(before, now)
    assert.equal((await agent.job(id)).reason, 'agent-lost')
    const next = await submit('true')
    await waitFor('a new job is seen', () => watching.states().get(next) === 'success')
    assert.deepEqual([states[0], states.at(-1)], [false, true])
    await watching.stop()
  })

  test('an agent that drains and stops says so, tells the last ends, and ends the stream', async () => {
    const id = await submit('sleep 300')
    const reader = eventReader(await agent.fetch('/api/events'))
    assert.equal((await reader.next())?.event, 'reset')
    assert.deepEqual((await reader.next())?.data, { draining: false, stopping: false })
    await agent.call('/api/agent/drain', { method: 'POST' })
    assert.deepEqual((await reader.next())?.data, { draining: true, stopping: false })
    process.kill(agent.pid, 'SIGTERM')
    assert.deepEqual((await reader.next())?.data, { draining: true, stopping: true })
    const { running, job } = (await reader.next())!.data as {
      running: number
      job: { id: string; state: string }
    }
    assert.deepEqual([job.id, job.state, running], [id, 'canceled', 0])
    assert.equal(await reader.next(), undefined)
    assert.equal((await agent.ended).code, 0)
  })
})
