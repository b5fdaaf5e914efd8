import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import { failure } from '../../../lib/base/errors.ts'
import type { Caller, Right, RunBounds } from '../../../lib/security/caller.ts'
import { createTestJobs, requestOf } from '../../support/jobs.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { waitFor } from '../../support/wait-for.ts'

const callerOf = (id: string, rights: Right[], bounds: RunBounds = {}): Caller => ({
  id,
  rights: new Set(rights),
  bounds,
  address: '192.0.2.1',
})

const bob = callerOf('bob', ['run'])

describe('jobs of several callers', () => {
  const agent = createTestJobs()
  after(agent.close)
  const { service } = agent
  const alice = callerOf('alice', ['read', 'run'])
  const admin = callerOf('root', ['admin'])
  const sleeper = requestOf({ cmd: 'exec sleep 1000', async: true })

  test('a job says who has submitted it, from where, also after its end and in the log', async () => {
    const { id } = await service.submit(requestOf({ cmd: 'true' }), alice)
    const open = service.open(id)!
    await open.waitForEnd()
    const record = await open.now()
    open.close()
    assert.deepEqual([record?.job.caller, record?.job.client], ['alice', '192.0.2.1'])
    const [listed] = await service.list({ limit: 1 })
    assert.deepEqual([listed?.job.id, listed?.job.caller], [id, 'alice'])
    const started = agent.lines.find(
      ({ message, fields }) => message === 'job started' && fields.jobId === id,
    )
    assert.deepEqual([started?.fields.caller, started?.fields.client], ['alice', '192.0.2.1'])
  })

  test('only who has submitted a job, or an admin, may signal or cancel it', async () => {
    const [first, second] = [await service.submit(sleeper, alice), await service.submit(sleeper, alice)]
    await assert.rejects(service.cancel(first.id, bob, 0), { code: 'not-your-job' })
    await assert.rejects(service.signal(first.id, bob, 'SIGTERM', 'leader'), { code: 'not-your-job' })
    assert.equal(service.countRunning(), 2)
    await service.signal(first.id, alice, 'SIGCONT', 'leader')
    await service.cancel(first.id, alice, 0)
    await service.cancel(second.id, admin, 0)
    await assert.rejects(service.cancel(second.id, bob, 0), { code: 'job-ended' })
    await assert.rejects(service.cancel('nope', bob, 0), { code: 'unknown-job' })
  })

  test('a cancel and a signal are recorded before they are done, and not done when they may not be', async () => {
    const { id } = await service.submit(sleeper, alice)
    const recorded: string[] = []
    const record = (name: string) => async () => {
      recorded.push(name)
      await new Promise(resolve => setTimeout(resolve, 20)) // Time for a signal to be seen.
      assert.equal((await agent.jobs.get(id))!.state, 'running')
    }
    await assert.rejects(service.cancel(id, bob, 0, record('bob')), { code: 'not-your-job' })
    await assert.rejects(service.signal(id, bob, 'SIGKILL', 'leader', record('bob')), {
      code: 'not-your-job',
    })
    await service.signal(id, alice, 'SIGCONT', 'leader', record('signal'))
    await service.cancel(id, alice, 0, record('cancel'))
    await assert.rejects(service.cancel(id, alice, 0, record('late')), { code: 'job-ended' })
    await assert.rejects(service.signal(id, alice, 'SIGCONT', 'leader', record('late')), {
      code: 'job-ended',
    })
    assert.deepEqual(recorded, ['signal', 'cancel'])
  })

  test('a list has what was created in a time, by a caller, with labels, or with a text in it', async () => {
    const ids: string[] = []
    const submit = async (cmd: string, caller: Caller, labels?: Record<string, string>) => {
      const { id } = await service.submit(requestOf({ cmd, labels }), caller)
      await waitFor('the clock moves on', () => Date.now() > Number.parseInt(id.slice(0, 12), 16))
      ids.push(id)
    }
    await submit('echo Backup', alice, { env: 'prod', db: 'orders' })
    await submit('true', bob, { env: 'prod' })
    await submit('true', alice, { env: 'test' })
    const [first, second, third] = ids
    const list = async (query: object) =>
      (await service.list({ limit: 200, ...query })).map(({ job }) => job.id).filter(id => ids.includes(id))
    const msOf = (id: string) => Number.parseInt(id.slice(0, 12), 16)
    assert.deepEqual(await list({ sinceMs: msOf(second!) }), [third, second])
    assert.deepEqual(await list({ untilMs: msOf(second!) }), [first])
    assert.deepEqual(await list({ sinceMs: msOf(first!), untilMs: msOf(third!), before: second }), [first])
    assert.deepEqual(await list({ untilMs: msOf(second!), before: third }), [first])
    assert.deepEqual(await list({ labels: ['env=prod'] }), [second, first])
    assert.deepEqual(await list({ labels: ['env=prod', 'db=orders'] }), [first])
    assert.deepEqual(await list({ caller: 'alice', text: 'backup' }), [first])
    const open = service.open(first!)!
    const record = await open.now()
    open.close()
    assert.deepEqual(record?.job.labels, { env: 'prod', db: 'orders' })
  })

  test('the same Idempotency-Key of two callers are two jobs', async () => {
    const key = { key: 'k', requestHash: Buffer.alloc(32) }
    const ids: string[] = []
    for (const caller of [alice, bob, alice, bob, callerOf('default', ['run'])]) {
      ids.push((await service.submit(requestOf({ cmd: 'true' }), caller, { key })).id)
    }
    assert.deepEqual([ids[2], ids[3], new Set(ids).size], [ids[0], ids[1], 3])
    await waitFor('they have ended', () => service.countRunning() === 0)
  })

  test('no more jobs of a key run at a time than it allows, others have the rest of the slots', async () => {
    const bounded = callerOf('bounded', ['run'], { running: 2 })
    const ids = [await service.submit(sleeper, bounded), await service.submit(sleeper, bounded)]
    await assert.rejects(service.submit(sleeper, bounded), {
      code: 'too-many-jobs-of-key',
      details: { limit: 2 },
    })
    ids.push(await service.submit(sleeper, bob))
    await service.cancel(ids[0]!.id, bounded, 0)
    ids.push(await service.submit(sleeper, bounded))
    for (const { id } of ids.slice(1)) await service.cancel(id, admin, 0)
  })

  test('what is out of the bounds of a key is not run, and takes no slot', async () => {
    const bounded = callerOf('bounded', ['run'], { commands: ['true'] })
    const before = (await service.list({ limit: 100 })).length
    await assert.rejects(service.submit(requestOf({ cmd: 'id' }), bounded), { code: 'out-of-bounds' })
    assert.equal((await service.list({ limit: 100 })).length, before)
    assert.equal(service.countRunning(), 0)
    await service.submit(requestOf({ cmd: 'true' }), bounded)
  })
})

describe('jobs of a caller that is bound to a directory', () => {
  const directory = scratchDirectory()
  const [allowed, cwd] = [join(directory, 'allowed'), join(directory, 'allowed/sub')]
  mkdirSync(cwd, { recursive: true })
  const bounded = callerOf('bounded', ['run'], { cwd: [`${allowed}/`], running: 2 })
  const agent = createTestJobs()
  after(agent.close)
  const { service } = agent
  const outputOf = async (id: string): Promise<string> => {
    await agent.jobs.waitForEnd(id)
    return (await agent.jobs.get(id))!.stdout
  }
  const openHere = (): string[] =>
    readdirSync('/proc/self/fd').filter(fd => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)
      } catch {
        return false // The one that listed the directory.
      }
    })

  test('start where was looked, though something else is in its place by then', async () => {
    const request = requestOf({ cmd: 'pwd -P', cwd })
    const moved = join(allowed, 'moved')
    const swap = async (): Promise<void> => {
      renameSync(cwd, moved)
      symlinkSync('/etc', cwd)
    }
    const { id } = await service.submit(request, bounded, { record: swap })
    assert.equal(await outputOf(id), `${realpathSync(moved)}\n`)
    await assert.rejects(service.submit(request, bounded), { code: 'out-of-bounds' })
    rmSync(cwd)
    renameSync(moved, cwd)
  })

  test('start there one at a time and beside others, and others where they were told to', async () => {
    const beside = await service.submit(requestOf({ cmd: 'exec sleep 1000', async: true }), bob)
    const here = await service.submit(requestOf({ cmd: 'pwd -P', cwd }), bounded)
    const there = await service.submit(requestOf({ cmd: 'pwd -P', cwd: '/usr' }), bob)
    const nowhere = await service.submit(requestOf({ cmd: 'pwd -P' }), bob)
    assert.deepEqual(await Promise.all([here, there, nowhere].map(({ id }) => outputOf(id))), [
      `${realpathSync(cwd)}\n`,
      '/usr\n',
      `${process.cwd()}\n`,
    ])
    await service.cancel(beside.id, bob, 0)
  })

  test('leave no descriptor behind, started or refused', async () => {
    await service.submit(requestOf({ cmd: 'true', cwd }), bounded)
    const notRecorded = { record: () => Promise.reject(failure('not-recorded')) }
    const submit = (request: object, options = {}) =>
      service.submit(requestOf({ cwd, ...request }), bounded, options)
    await assert.rejects(submit({ cmd: 'true' }, notRecorded), { code: 'not-recorded' })
    await assert.rejects(submit({ cwd: directory }), { code: 'out-of-bounds' })
    await assert.rejects(submit({ outputLimit: 1e12 }), { code: 'output-limit-too-high' })
    const ids = [
      await submit({ cmd: 'exec sleep 1000', async: true }),
      await submit({ cmd: 'exec sleep 1000', async: true }),
    ]
    await assert.rejects(submit({ cmd: 'true' }), { code: 'too-many-jobs-of-key' })
    for (const { id } of ids) await service.cancel(id, bounded, 0)
    const failed = await submit({ cmd: 'true', params: 'x'.repeat(200_000) })
    await agent.jobs.waitForEnd(failed.id)
    assert.equal((await agent.jobs.get(failed.id))!.reason, 'start-failed')
    assert.deepEqual(openHere(), [])
  })

  test('that were submitted before are found again, and leave no descriptor either', async () => {
    const key = { key: 'k', requestHash: Buffer.alloc(32) }
    const submit = () => service.submit(requestOf({ cmd: 'true', cwd }), bounded, { key })
    assert.equal((await submit()).id, (await submit()).id)
    assert.deepEqual(openHere(), [])
  })

  test('that cannot enter it say so', {
    skip: process.getuid?.() === 0 && 'root may enter any directory',
  }, async () => {
    chmodSync(cwd, 0)
    const { id } = await service.submit(requestOf({ cmd: 'true', cwd }), bounded)
    chmodSync(cwd, 0o700)
    await agent.jobs.waitForEnd(id)
    assert.match((await agent.jobs.get(id))!.error, /^chdir .*: permission denied$/)
  })
})

describe('jobs that are recorded before they are started', () => {
  const alice = callerOf('alice', ['run'], { running: 1 })
  const sleeper = requestOf({ cmd: 'exec sleep 1000', async: true })
  const key = { key: 'k', requestHash: Buffer.alloc(32) }

  const createAgent = (t: TestContext) => {
    const agent = createTestJobs({ limit: 2 })
    t.after(agent.close)
    const turn = Promise.withResolvers<void>()
    turn.promise.catch(() => {})
    const recorded: string[] = []
    const record = (id: string) => {
      recorded.push(id)
      return turn.promise
    }
    const count = async () => [agent.service.countRunning(), (await agent.service.list({ limit: 9 })).length]
    return { ...agent, turn, recorded, record, count }
  }

  test('are no jobs meanwhile, but have their slot, their key and their place among those of the caller', async t => {
    const { service, turn, recorded, record, count } = createAgent(t)
    const both = [
      service.submit(sleeper, alice, { key, record }),
      service.submit(sleeper, alice, { key, record }),
    ]
    await assert.rejects(service.submit(sleeper, alice, { record }), { code: 'too-many-jobs-of-key' })
    const other = { ...key, requestHash: Buffer.alloc(32, 1) }
    await assert.rejects(service.submit(sleeper, alice, { key: other, record }), { code: 'key-reused' })
    assert.deepEqual(await count(), [1, 0])
    turn.resolve()
    const [first, second] = await Promise.all(both)
    assert.deepEqual(recorded, [first!.id])
    assert.deepEqual(second, { id: first!.id, rejected: false, repeated: true })
    assert.deepEqual(await count(), [1, 1])
    await assert.rejects(service.submit(sleeper, alice, { record }), { code: 'too-many-jobs-of-key' })
    await service.cancel(first!.id, alice, 0)
    await service.cancel((await service.submit(sleeper, alice, { record })).id, alice, 0)
  })

  test('are none when they cannot be recorded, and nothing hinders the same key from being used again', async t => {
    const { service, turn, record, count } = createAgent(t)
    const both = [
      service.submit(sleeper, alice, { key, record }),
      service.submit(sleeper, alice, { key, record }),
    ]
    turn.reject(failure('not-recorded'))
    for (const one of both) await assert.rejects(one, { code: 'not-recorded' })
    assert.deepEqual(await count(), [0, 0])
    const again = await service.submit(sleeper, alice, { key, record: async () => {} })
    assert.deepEqual(again, { id: again.id, rejected: false, repeated: false })
    await service.cancel(again.id, alice, 0)
  })

  test('are none when the agent closes meanwhile, which waits for them', async t => {
    const { service, turn, record, count } = createAgent(t)
    const submitted = service.submit(sleeper, alice, { record })
    let isClosed = false
    const closed = service.close(0).then(() => {
      isClosed = true
    })
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(isClosed, false)
    turn.resolve()
    await assert.rejects(submitted, { code: 'stopping' })
    await closed
    assert.deepEqual(await count(), [0, 0])
  })

  test('are still run when the agent drains meanwhile, which waits for them', async t => {
    const { service, turn, record, count } = createAgent(t)
    const submitted = service.submit(sleeper, alice, { record })
    let isDrained = false
    const drained = service.drain().then(() => {
      isDrained = true
    })
    turn.resolve()
    const { id } = await submitted
    assert.equal(isDrained, false)
    assert.deepEqual(await count(), [1, 1])
    await service.cancel(id, alice, 0)
    await drained
  })
})
