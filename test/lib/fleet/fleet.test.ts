import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Msg } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { connectFleet, type FleetOptions } from '../../../lib/fleet/fleet.ts'
import { messageHeaders, WIRE } from '../../../lib/fleet/wire.ts'
import { SECRET } from '../../support/agent.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'

const ID = '0'.repeat(32)

/** A fleet, and what answers in the place of a host for `newdt.any.role.db.run`. */
const fleetWith = async (respond: (message: Msg) => void) => {
  const engine = await startNatsServer()
  const connection = await connect({ servers: engine.url })
  const host = await connect({ servers: engine.url })
  const asked: Msg[] = []
  host.subscribe('newdt.any.role.db.run', {
    callback(_error, message) {
      asked.push(message)
      respond(message)
    },
  })
  await host.flush()
  return {
    asked,
    fleet: connectFleet(connection, { credentials: { secret: SECRET } }),
    async [Symbol.asyncDispose]() {
      await Promise.all([connection.close(), host.close()])
      await engine[Symbol.asyncDispose]()
    },
  }
}

const answer = (message: Msg, fields: Record<string, string>, body?: unknown): void => {
  const headers = messageHeaders({ [WIRE.host]: 'db1', [WIRE.answer]: 'a', [WIRE.seq]: '0', ...fields })
  message.respond(body === undefined ? undefined : JSON.stringify(body), { headers })
}

describe('any host of a fleet', NATS_TEST, () => {
  test('is told, and its job is asked for where it is', async () => {
    await using with1 = await fleetWith(message =>
      answer(
        message,
        { [WIRE.kind]: 'head', [WIRE.status]: '200', [WIRE.end]: 'true' },
        { code: 0, success: true, msg: '', data: { id: ID } },
      ),
    )
    const taken = await with1.fleet.any('role=db').submit({ cmd: 'true' })
    assert.ok(taken.ok)
    assert.deepEqual([taken.value.host, taken.value.job.id], ['db1', ID])
  })

  test('gets a submission once, also when its answer is lost: another one would run it again', async () => {
    await using with1 = await fleetWith(message =>
      answer(message, { [WIRE.kind]: 'error', [WIRE.error]: 'broken' }),
    )
    const taken = await with1.fleet.any('role=db').submit({ cmd: 'true' })
    assert.ok(!taken.ok)
    assert.deepEqual([taken.error.word, taken.error.mayBeDone], ['unreachable', true])
    assert.equal(with1.asked.length, 1)
  })

  test('gets it again when its slots were just taken, or it is about to end, until one has room', async () => {
    const refusals = [
      { status: '429', data: { id: '', code: 1, success: false } },
      ...['draining', 'stopping'].map(error => ({
        status: '503',
        data: { code: 503, success: false, error, data: null },
      })),
    ]
    let asked = 0
    await using with1 = await fleetWith(message => {
      const { status, data } = refusals[asked++] ?? {
        status: '200',
        data: { code: 0, success: true, data: { id: ID } },
      }
      answer(
        message,
        { [WIRE.kind]: 'head', [WIRE.status]: status, [WIRE.end]: 'true' },
        { msg: '', ...data },
      )
    })
    const taken = await with1.fleet.any('role=db').submit({ cmd: 'true' })
    assert.ok(taken.ok)
    assert.equal(asked, 4)
  })

  test('that has no room is no failure of the fleet', async () => {
    await using with1 = await fleetWith(message =>
      answer(
        message,
        { [WIRE.kind]: 'head', [WIRE.status]: '429', [WIRE.end]: 'true' },
        { id: '', code: 1, success: false, msg: 'too many jobs' },
      ),
    )
    for (const label of ['role=db', { name: 'role', value: 'none' }]) {
      const taken = await with1.fleet.any(label).submit({ cmd: 'true' })
      assert.ok(!taken.ok)
      assert.equal(taken.error.word, 'no-room')
    }
    // What was refused was not begun: another one may have a slot.
    assert.equal(with1.asked.length, 5)
    assert.throws(() => with1.fleet.any('Role=DB'), TypeError)
    assert.throws(() => with1.fleet.agent('DB1'), TypeError)
  })
})

test('a fleet takes no credentials that its engine could use again', () => {
  const refused: FleetOptions['credentials'][] = [{ token: 't' }, { secret: 's', signature: 'contract' }]
  for (const credentials of refused)
    assert.throws(() => connectFleet(undefined as never, { credentials }), /RFC 9421/)
})
