import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { readLiving } from '../../lib/process/linux/proc.ts'
import { createHome, type Home, ROOT, type RunningAgent, startAgent } from '../support/agent.ts'
import { findByText, type Known, know, lives } from '../support/proc.ts'
import { shapes } from '../support/shapes.ts'
import { waitFor } from '../support/wait-for.ts'

interface Shape {
  name: string
  id: string
  processes: Known[]
}

const MAIN = join(ROOT, 'runtime/main.ts')
const PRELOAD = ['--import', join(ROOT, 'test/fixtures/die.ts')]

/** What ends the jobs; resolves when it has been set off, or has come to its end. */
type Way = (agent: RunningAgent, running: Shape[]) => Promise<unknown>

const bySignal =
  (signal: NodeJS.Signals): Way =>
  async agent =>
    process.kill(agent.pid, signal)

const WAYS: [name: string, way: Way, nodeOptions?: string[]][] = [
  ['TERM', bySignal('SIGTERM')],
  ['INT', bySignal('SIGINT')],
  ['HUP', bySignal('SIGHUP')],
  ['uncaught throw', bySignal('SIGUSR2'), PRELOAD],
  ['unhandled rejection', bySignal('SIGUSR2'), PRELOAD],
  ['abort', bySignal('SIGUSR2'), PRELOAD],
  ['out of memory', bySignal('SIGUSR2'), [...PRELOAD, '--max-old-space-size=64']],
  ['KILL', bySignal('SIGKILL')],
  [
    'cancel',
    (agent, running) =>
      Promise.all(running.map(({ id }) => agent.call(`/api/jobs/${id}/cancel`, { method: 'POST' }))),
  ],
  ['timeout', async () => {}],
]
const DIE: Record<string, string> = { 'uncaught throw': 'throw', 'unhandled rejection': 'reject' }

/** Rows of a table for the terminal: after how many milliseconds nothing of a shape was left. */
const table: string[][] = []
let unique = process.pid * 1000

/** Starts every shape and waits until its processes stand. */
const begin = async (agent: RunningAgent, home: Home, timeoutMs?: number): Promise<Shape[]> => {
  const running: Shape[] = []
  for (const index of shapes('').keys()) {
    let shape: Shape | undefined
    // On a busy machine a short timeout may end a job before all of it stands; then a longer one is tried.
    for (let ms = timeoutMs; !shape; ms = ms && 2 * ms) shape = await beginShape(agent, home, index, ms)
    running.push(shape)
  }
  return running
}

/** Undefined when the timeout came first. */
const beginShape = async (
  agent: RunningAgent,
  home: Home,
  index: number,
  timeoutMs?: number,
): Promise<Shape | undefined> => {
  const text = String(unique++)
  const [name, cmd, count] = shapes(text)[index]!
  const env = { T: join(home.path, `a) R 1 (b${text}`) }
  const timeout = timeoutMs && { timeout: `${timeoutMs}ms` }
  const { id, pid } = await agent.execute({ cmd, env, async: true, ...timeout })
  return waitFor(`${name} stands, or has timed out`, async () => {
    const job = await agent.job(id)
    if (job.state !== 'running') {
      assert.ok(timeoutMs, `${name} ended by itself: ${job.error}`)
      return { timedOut: true as const }
    }
    if (!job.stdout.includes('ready')) return false
    const processes = count === 0 ? [know(pid)] : findByText(text)
    return processes.length >= count && { name, id, processes }
  }).then(result => ('timedOut' in result ? undefined : result))
}

describe('whatever ends the jobs', () => {
  const names = shapes('').map(([name]) => name)
  after(() => {
    const columns = names.map((name, index) => `${String.fromCharCode(97 + index)}: ${name}`)
    console.log(`\nProcesses left / milliseconds until none was, by the way the jobs ended and their shape:`)
    console.log(columns.join('\n'))
    console.log(
      ['way'.padEnd(20), ...names.map((_, index) => String.fromCharCode(97 + index).padStart(9))].join(''),
    )
    for (const [way, ...cells] of table)
      console.log([way!.padEnd(20), ...cells.map(cell => cell.padStart(9))].join(''))
  })

  for (const [name, way, nodeOptions = []] of WAYS) {
    test(`nothing of any shape is left after ${name}`, async () => {
      const home = createHome()
      const agent = await startAgent(home, {
        command: [process.execPath, ...nodeOptions, MAIN],
        env: { AGENT_MAX_RUNNING: '50', AGENT_KILL_GRACE: '300ms', DIE: DIE[name] ?? name },
      })
      const running = await begin(agent, home, name === 'timeout' ? 3000 : undefined)
      const start = performance.now()
      void way(agent, running).catch(() => {})
      const left = new Map(running.map(shape => [shape, '']))
      await waitFor('nothing of any job is left', () => {
        for (const [shape, time] of left) {
          if (time === '' && !shape.processes.some(lives))
            left.set(shape, String(Math.round(performance.now() - start)))
        }
        return [...left.values()].every(time => time !== '')
      })
      table.push([
        name,
        ...running.map(shape => `${shape.processes.filter(lives).length}/${left.get(shape)}`),
      ])
      if (name === 'cancel' || name === 'timeout') {
        await waitFor(
          'all jobs have ended',
          async () => (await agent.call('/api/jobs/countOfRunningJobs')).data === 0,
        )
        await agent.end()
      }
      await agent.ended
      await home.assertClean()
      home.remove()
    })
  }
})

describe('the guardian', () => {
  const guardianOf = (agent: RunningAgent): Known | undefined =>
    findByText(`newdt-auto-guardian\0Max file locks\0${agent.pid}\0`)[0]

  const withAgent = async (run: (agent: RunningAgent, home: Home) => Promise<void>): Promise<void> => {
    const home = createHome()
    await run(await startAgent(home), home)
    await home.assertClean()
    home.remove()
  }

  test('that is killed is replaced by one that knows all running jobs', () =>
    withAgent(async agent => {
      await agent.execute({ cmd: 'setsid sleep 1000 & sleep 1000', async: true })
      const first = await waitFor('there is a guardian', () => guardianOf(agent))
      process.kill(first.pid, 'SIGKILL')
      await waitFor('there is another', () => {
        const now = guardianOf(agent)
        return now && now.pid !== first.pid
      })
      const { guardian } = (await agent.call('/api/agent')).data as { guardian: object }
      assert.deepEqual(guardian, { state: 'running', restarts: 1 })
      await agent.end('SIGKILL')
    }))

  test('that is stopped is replaced at once, with no job in between', () =>
    withAgent(async agent => {
      await agent.execute({ cmd: 'sleep 1000', async: true })
      const first = await waitFor('there is a guardian', () => guardianOf(agent))
      process.kill(first.pid, 'SIGSTOP')
      await waitFor('there is another', () => {
        const now = guardianOf(agent)
        return now && now.pid !== first.pid
      })
      assert.ok(!lives(first))
      await agent.end('SIGKILL')
    }))

  test('leaves alone what finished jobs have left, and so does a cancel of another job', () =>
    withAgent(async agent => {
      const left = await agent.execute({ cmd: 'setsid sleep 1000.5 >/dev/null 2>&1 & echo $!' })
      assert.deepEqual([left.state, left.leftovers], ['success', 1])
      assert.equal((await agent.job(left.id)).livingLeftovers, 1)
      const other = await agent.execute({ cmd: 'sleep 1000', async: true })
      await agent.call(`/api/jobs/${other.id}/cancel`, { method: 'POST' })
      await agent.execute({ cmd: 'sleep 1000', async: true })
      await agent.end('SIGKILL')
      const pid = Number(left.stdout)
      const { readFileSync } = await import('node:fs')
      await waitFor('the guardian is gone', () => !guardianOf(agent))
      assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /1000\.5/)
      process.kill(pid, 'SIGKILL')
    }))

  test('killed together with the agent: the next start leaves nothing', async () => {
    const home = createHome()
    const agent = await startAgent(home)
    const job = await agent.execute({
      scriptName: 'x.sh',
      scriptType: 'shell',
      scriptContent: 'env -i setsid sleep 1000 & sleep 1000',
      async: true,
    })
    const guardian = await waitFor('there is a guardian', () => guardianOf(agent))
    // Stopped, so that it does not start another guardian.
    process.kill(agent.pid, 'SIGSTOP')
    await waitFor('the agent is stopped', () => readLiving(agent.pid)?.state === 'T')
    process.kill(guardian.pid, 'SIGKILL')
    await agent.end('SIGKILL')
    assert.ok(findByText(home.path).length > 0)
    const next = await startAgent(home)
    assert.deepEqual(
      findByText(home.path).map(({ pid }) => pid),
      [next.pid],
    )
    assert.equal((await next.job(job.id)).reason, 'agent-lost')
    await next.end()
    await home.assertClean()
    home.remove()
  })
})
