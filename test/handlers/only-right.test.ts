import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../handlers/services.ts'
import { RIGHTS, type Right } from '../../lib/security/caller.ts'
import {
  ADDRESS,
  AUTHORITY,
  COMMAND_PATH,
  createFake,
  ID,
  post,
  REQUEST_ID,
  signed,
} from './fake-services.ts'

/** The statuses of what needs each right, of a request that may use one right only. */
const statusesWith = async (onlyRight: Right, rights: Right[]) => {
  const { app } = createFake({ rights })
  const requests = [
    ['read', signed('/api/jobs')],
    ['run', post(COMMAND_PATH, { cmd: 'true' })],
    ['admin', post('/api/agent/drain', {})],
  ] as const
  const statuses: Record<string, number> = {}
  for (const [right, request] of requests)
    statuses[right] = (await app(request, { ...contextOf(request), onlyRight })).status
  return statuses
}

const contextOf = (request: Request): Context => ({
  requestId: REQUEST_ID,
  address: ADDRESS,
  isPrivate: true,
  isEncrypted: false,
  authority: AUTHORITY,
  target: new URL(request.url).pathname,
  note() {},
})

test('a request that may use one right only has that of the rights of its key', async () => {
  for (const onlyRight of RIGHTS) {
    const allowed = await statusesWith(onlyRight, [...RIGHTS])
    for (const right of RIGHTS)
      assert.equal(allowed[right], right === onlyRight ? 200 : 403, `${onlyRight} ${right}`)
    const lacking = await statusesWith(
      onlyRight,
      RIGHTS.filter(right => right !== onlyRight),
    )
    assert.deepEqual(Object.values(lacking), [403, 403, 403])
  }
})

test('what is read without end goes on with that right, and with no other', async () => {
  const { app } = createFake({ rights: ['run'] })
  const request = signed(`/api/jobs/${ID}/events`)
  assert.equal((await app(request, { ...contextOf(request), onlyRight: 'read' })).status, 403)
  const known = createFake()
  const again = signed(`/api/jobs/${ID}/events`)
  const response = await known.app(again, { ...contextOf(again), onlyRight: 'read' })
  assert.equal(response.status, 200)
  assert.match(await response.text(), /event: end/)
})
