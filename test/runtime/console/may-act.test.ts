import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Agent } from '../../../lib/client/client.ts'
import { mayAct } from '../../../runtime/console/may-act.ts'
import type { Session } from '../../../runtime/console/session.ts'

test('a job is stopped by whoever has submitted it, or has the right admin', () => {
  const session = (...rights: Agent['caller']['rights']) =>
    ({
      agent: { value: { caller: { id: 'alice', rights, users: [], bounds: {} } } },
      can: right => rights.includes(right),
    }) as Pick<Session, 'can'> as Session
  const [own, other] = [{ caller: 'alice' }, { caller: 'bob' }]
  assert.ok(mayAct(session('read', 'run'), own))
  assert.ok(!mayAct(session('read', 'run'), other))
  assert.ok(!mayAct(session('read'), own))
  assert.ok(mayAct(session('admin'), other))
})
