import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { failure } from '../../../lib/base/errors.ts'
import type { Caller, Right, RunBounds } from '../../../lib/security/caller.ts'
import { createTestJobs, requestOf } from '../../support/jobs.ts'

const callerOf = (id: string, rights: Right[], bounds: RunBounds = {}): Caller => ({
  id,
  rights: new Set(rights),
  bounds,
  address: '192.0.2.1',
})

describe('jobs of several callers', () => {
  const agent = createTestJobs()
  after(agent.close)
  const { service } = agent
  const alice = callerOf('alice', ['read', 'run'])
  const bob = callerOf('bob', ['run'])
  const admin = callerOf('root', ['admin'])
  const sleeper = requestOf({ cmd: 'exec sleep 1000', async: true })

  test('a job says who has submitted it, from where, also after its end and in the log', async () => {
    const { id } = await service.submit(requestOf({ cmd: 'true' }), alice)
    const open = service.open(id)!
    await open.waitForEnd()
    const record = await open.now()
    open.close()
    assert.deepEqual([record?.job.caller, record?.job.client], ['alice', '192.0.2.1'])
    const [listed] = service.list({ limit: 1 })
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

  test('the same Idempotency-Key of two callers are two jobs', async () => {
    const key = { key: 'k', requestHash: Buffer.alloc(32) }
    const ids: string[] = []
    for (const caller of [alice, bob, alice, bob, callerOf('default', ['run'])]) {
      ids.push((await service.submit(requestOf({ cmd: 'true' }), caller, key)).id)
    }
    assert.deepEqual([ids[2], ids[3], new Set(ids).size], [ids[0], ids[1], 3])
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
    const before = service.list({ limit: 100 }).length
    await assert.rejects(service.submit(requestOf({ cmd: 'id' }), bounded), { code: 'out-of-bounds' })
    assert.equal(service.list({ limit: 100 }).length, before)
    assert.equal(service.countRunning(), 0)
    await service.submit(requestOf({ cmd: 'true' }), bounded)
  })
})

describe('jobs whose start is recorded first', () => {
  test('run only when it is, leave no slot taken, and are not run twice meanwhile', async () => {
    const recorded: string[] = []
    let fails = false
    const turn = Promise.withResolvers<void>()
    const agent = createTestJobs({
      limit: 2,
      async recordStart({ id, caller, request }) {
        await turn.promise
        if (fails) throw failure('not-recorded')
        recorded.push(`${caller.id} ${request.cmd} ${id}`)
      },
    })
    const alice = callerOf('alice', ['run'], { running: 1 })
    const key = { key: 'k', requestHash: Buffer.alloc(32) }
    const request = requestOf({ cmd: 'exec sleep 1000', async: true })
    const both = [agent.service.submit(request, alice, key), agent.service.submit(request, alice, key)]
    await assert.rejects(agent.service.submit(request, alice), { code: 'too-many-jobs-of-key' })
    turn.resolve()
    const [first, second] = await Promise.all(both)
    assert.equal(first!.id, second!.id)
    assert.deepEqual(recorded, [`alice exec sleep 1000 ${first!.id}`])
    fails = true
    const bob = callerOf('bob', ['run'])
    await assert.rejects(agent.service.submit(requestOf({ cmd: 'true' }), bob), { code: 'not-recorded' })
    assert.equal(agent.service.countRunning(), 1)
    const [refused] = agent.service.list({ limit: 1 })
    const { state, pid } = refused!.job as { state: string; pid: number }
    assert.deepEqual([state, pid], ['failed', 0])
    await agent.close()
  })

  test('are canceled, without ever running, when the agent closes meanwhile', async () => {
    const turn = Promise.withResolvers<void>()
    const agent = createTestJobs({ recordStart: () => turn.promise })
    const submitted = agent.service.submit(requestOf({ cmd: 'true' }), callerOf('alice', ['run']))
    const closed = agent.service.close(0)
    turn.resolve()
    await closed
    const { id } = await submitted
    const open = agent.service.open(id)!
    const { job } = (await open.now())!
    open.close()
    assert.deepEqual([job.state, (job as { pid: number }).pid], ['canceled', 0])
    await agent.close()
  })
})
