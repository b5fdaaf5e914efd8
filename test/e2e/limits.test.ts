import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { chmodSync, chownSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import { groupsIn } from '../../lib/process/linux/cgroup/group.ts'
import { readHierarchies } from '../../lib/process/linux/cgroup/hierarchies.ts'
import {
  AgentEndedError,
  createHome,
  type Home,
  ROOT,
  type RunningAgent,
  startAgent,
} from '../support/agent.ts'
import { linuxProcesses } from '../support/linux-processes.ts'
import { findByText } from '../support/proc.ts'
import { waitFor } from '../support/wait-for.ts'

const support = linuxProcesses().limitSupport()
const missing = ['memory', 'cpus', 'processes'].flatMap(name => {
  const found = support[name as 'memory']
  return 'missing' in found ? [found.missing] : []
})[0]

/** Where the groups of this agent's jobs are, as far as they are there. */
const basesOf = ({ data }: Home): string[] =>
  readHierarchies()
    .map(({ version, directory }) =>
      join(directory, version === 1 ? `newdt-auto-${hash('sha256', data).slice(0, 12)}` : 'jobs'),
    )
    .filter(path => existsSync(path))

/** The groups of jobs of this agent. */
const groupsOfJobs = (home: Home): string[] =>
  basesOf(home).flatMap(base => groupsIn(base).filter(name => name.startsWith('job-')))
const groupsGone = (home: Home) => waitFor('no group of a job is left', () => groupsOfJobs(home).length === 0)

describe('an agent whose jobs have limits', { skip: missing }, () => {
  let home: Home
  let agent: RunningAgent
  before(async () => {
    home = createHome()
    agent = await startAgent(home, {
      env: {
        AGENT_KILL_GRACE: '300ms',
        AGENT_MAX_RUNNING: '20',
        AGENT_MAX_LIMITS: 'memory=1gb,openFiles=5000',
      },
    })
  })
  after(async () => {
    await agent?.end()
    await home?.assertClean()
    home?.remove()
  })
  const end = async (id: string): Promise<JobJson> => agent.job(id, '?wait=20s')

  test('a memory hog ends as out-of-memory with its peak, while the agent answers', async () => {
    const { id } = await agent.execute({
      cmd: 'python3 -c "x = bytearray(400 << 20)"; echo alive; sleep 1000',
      limits: { memory: '64mb' },
      async: true,
    })
    const health: number[] = []
    const job = await waitFor('it has ended', async () => {
      health.push((await fetch(`${agent.url}/healthz`)).status)
      const now = await agent.job(id)
      return now.state !== 'running' && now
    })
    assert.deepEqual(
      [job.state, job.reason, job.error, job.limits],
      ['failed', 'out-of-memory', 'signal: killed', { memory: 64 << 20, openFiles: 5000 }],
    )
    assert.ok(
      job.usage.peakMemory! > 32 << 20 && job.usage.peakMemory! <= 64 << 20,
      `${job.usage.peakMemory}`,
    )
    assert.deepEqual(new Set(health), new Set([200]))
  })

  test('a fork bomb is held, and canceled', async () => {
    const { id } = await agent.execute({
      cmd: 'trap "" TERM; bomb() { bomb & bomb & wait; }; bomb',
      limits: { processes: 40, memory: '256mb' },
      async: true,
    })
    await waitFor('it has what it may have', async () => {
      const { data } = await agent.call(`/api/jobs/${id}/processes`)
      return (data as unknown[]).length >= 30
    })
    assert.equal((await fetch(`${agent.url}/healthz`)).status, 200)
    assert.equal((await agent.call(`/api/jobs/${id}/cancel`, { method: 'POST' })).code, 0)
    const job = await end(id)
    assert.deepEqual([job.state, job.survivors], ['canceled', []])
    assert.ok(job.usage.peakProcesses === null || job.usage.peakProcesses <= 40)
    assert.deepEqual(findByText(id), [])
  })

  test('what it uses is told while it runs', async () => {
    const { id } = await agent.execute({
      cmd: 'x=0; while [ $x -lt 100000 ]; do x=$((x+1)); done; echo done; sleep 1000',
      limits: { memory: '64mb' },
      async: true,
    })
    await waitFor('it has worked', async () => (await agent.job(id)).stdout === 'done\n')
    const { usage } = await agent.job(id)
    assert.ok(usage.cpu! > 0 && usage.memory! > 0, JSON.stringify(usage))
    await agent.call(`/api/jobs/${id}/cancel`, { method: 'POST' })
    const ended = await end(id)
    assert.ok(ended.usage.cpu! >= usage.cpu!)
    assert.equal(ended.usage.memory, null)
  })

  test('what is asked for beyond the most, or is no limit, is refused by name', async () => {
    const refused = async (limits: unknown) => {
      const response = await agent.fetch('/api/jobs/execute/cmd', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Accept-Language': 'en' },
        body: JSON.stringify({ cmd: 'true', limits }),
      })
      const { error, msg } = (await response.json()) as { error: string; msg: string }
      return `${response.status} ${error} ${msg}`
    }
    assert.match(await refused({ memory: '2gb' }), /limit-too-high .*limits\.memory/)
    assert.match(await refused({ memory: -1 }), /400 invalid-request .*limits\.memory/)
    assert.match(await refused({ cpus: 'two' }), /400 invalid-request .*limits\.cpus/)
    assert.match(await refused({ memroy: 1 }), /400 invalid-request .*memroy/)
    if ('missing' in support.ioWeight)
      assert.match(await refused({ ioWeight: 50 }), /limit-unsupported .*limits\.ioWeight.*/)
  })

  test('a thousand jobs with limits leave no group', async () => {
    let left = 1000
    const client = async (): Promise<void> => {
      while (left-- > 0) {
        const { state } = await agent.execute({ cmd: ':', limits: { memory: '32mb', processes: 20 } })
        assert.equal(state, 'success')
      }
    }
    await Promise.all(Array.from({ length: 10 }, client))
    await groupsGone(home)
  })

  test('a killed agent’s job ends with it, also what has no mark any more, and its groups go', async () => {
    const doomed = createHome()
    const killed = await startAgent(doomed)
    const { id } = await killed.execute({
      cmd: `setsid bash -c 'ulimit -x unlimited; setsid sleep 1000.${killed.pid} & exit' & wait; echo ready; sleep 1000`,
      limits: { processes: 20 },
      async: true,
    })
    await waitFor('it is ready', async () => (await killed.job(id)).stdout === 'ready\n')
    await waitFor('it sleeps without the mark', () => findByText(`1000.${killed.pid}`).length > 0)
    await killed.end('SIGKILL')
    await waitFor('nothing of it lives', () => findByText(`1000.${killed.pid}`).length === 0)
    await waitFor('the groups are gone, with where they were', () => basesOf(doomed).length === 0)
    const next = await startAgent(doomed)
    assert.equal((await next.job(id)).reason, 'agent-lost')
    await next.end()
    await doomed.assertClean()
    doomed.remove()
  })

  test('all jobs together have no more than the agent has set', async () => {
    const other = createHome()
    const bounded = await startAgent(other, {
      env: { AGENT_JOBS_MEMORY: '96mb', AGENT_JOBS_PROCESSES: '200' },
    })
    const hog = { cmd: 'python3 -c "x = bytearray(60 << 20); import time; time.sleep(1000)"', async: true }
    const ids = [(await bounded.execute(hog)).id, (await bounded.execute(hog)).id]
    const ended = await waitFor('one has ended', async () => {
      const jobs = await Promise.all(ids.map(id => bounded.job(id)))
      return jobs.find(({ state }) => state !== 'running')
    })
    assert.deepEqual([ended.state, ended.reason], ['failed', 'out-of-memory'])
    await bounded.end()
    await other.assertClean()
    await groupsGone(other)
    other.remove()
  })
})

describe('an agent without the rights for it', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  const nobody = () => {
    const home = createHome()
    for (const path of [home.path, home.temporary]) chownSync(path, 65_534, 65_534)
    chmodSync(home.path, 0o755)
    const command = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', process.execPath] as const
    return { home, command: [...command, join(ROOT, 'runtime/main.ts')] as [string, ...string[]] }
  }

  test('says what is missing, and keeps what needs none', async () => {
    const { home, command } = nobody()
    const agent = await startAgent(home, { command, env: { AGENT_RUN_AS: 'daemon' } })
    const refusal = async (body: Record<string, unknown>) => {
      const { error, msg } = await agent.call('/api/jobs/execute/cmd', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Accept-Language': 'en' },
        body: JSON.stringify({ cmd: 'true', ...body }),
      })
      return `${error} ${msg}`
    }
    assert.match(await refusal({ user: 'daemon' }), /^cannot-run-as .*CAP_SETUID/)
    assert.match(await refusal({ limits: { memory: '64mb' } }), /^limit-unsupported .*limits\.memory.*cgroup/)
    const job = await agent.execute({
      cmd: 'ulimit -n; nice; grep NoNewPrivs /proc/self/status',
      limits: { openFiles: 100, nice: 3 },
      noNewPrivileges: true,
    })
    assert.equal(job.stdout, '100\n3\nNoNewPrivs:\t1\n')
    const { data } = await agent.call('/api/agent')
    const { users, limits } = data as { users: { missing: string }; limits: typeof support }
    assert.match(users.missing, /CAP_SETUID/)
    assert.ok('missing' in limits.memory && 'by' in limits.openFiles)
    await agent.end()
    await home.assertClean()
    home.remove()
  })

  test('changes users by capabilities that systemd hands on, which no job has', async () => {
    const { home, command } = nobody()
    const caps = '+chown,+kill,+setgid,+setuid'
    const [, ...rest] = command
    const agent = await startAgent(home, {
      command: ['setpriv', `--inh-caps=${caps}`, `--ambient-caps=${caps}`, ...rest],
      env: { AGENT_RUN_AS: 'daemon' },
    })
    const cmd =
      'id -un; grep -E "^Cap(Inh|Prm|Eff|Amb)" /proc/self/status | cut -f2 | sort -u; setpriv --reuid=0 id -u'
    for (const [user, name] of [
      ['daemon', 'daemon'],
      [undefined, 'nobody'],
    ]) {
      const { stdout } = await agent.execute({ cmd, ...(user && { user }) })
      assert.equal(stdout, `${name}\n0000000000000000\n`)
    }
    await agent.end()
    await home.assertClean()
    home.remove()
  })

  test('does not start with a setting that it cannot keep', async () => {
    const { home, command } = nobody()
    await assert.rejects(
      startAgent(home, { command, env: { AGENT_DEFAULT_LIMITS: 'memory=64mb' } }),
      (error: Error) => {
        assert.ok(error instanceof AgentEndedError)
        assert.match(error.stderr + error.message, /AGENT_DEFAULT_LIMITS.*memory/)
        return true
      },
    )
    home.remove()
  })
})
