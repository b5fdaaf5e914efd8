import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellUnknownUsers } from '../../runtime/users.ts'
import { fakeSupport } from '../support/fake-processes.ts'
import { recordingLog } from '../support/recording-log.ts'

const account = (name: string) => ({ name, uid: 1, gid: 1, groups: [1], home: '/', shell: '' })
const known = fakeSupport([account('deploy'), account('app')], { web: 7 })
const key = (id: string, users?: string[]) => ({ id, bounds: { users } })

const told = async (
  runAs: string[],
  keys: ReturnType<typeof key>[],
  processes: Parameters<typeof tellUnknownUsers>[0] = known,
) => {
  const { log, lines } = recordingLog()
  await tellUnknownUsers(processes, { runAs }, keys, log)
  return lines.map(({ level, fields, message }) => {
    const { users, key, user } = fields as Record<string, unknown>
    return [level, message, key ?? user, users]
  })
}

const NOT_THERE = 'this system does not have users that jobs may run as'
const NOT_ALLOWED = 'users of a key are not in AGENT_RUN_AS'

test('users and groups that the system does not have are told at the start', async () => {
  const keys = [key('ci', ['gone']), key('all')]
  assert.deepEqual(await told(['deploy', 'gone', 'app:web', 'app:none'], keys), [
    ['warn', NOT_THERE, undefined, ['gone', 'app:none']],
  ])
})

test('users of a key that AGENT_RUN_AS does not have are told with the key', async () => {
  const keys = [key('ci', ['app', 'deploy', 'deploy:web']), key('ops', ['deploy'])]
  assert.deepEqual(await told(['deploy'], keys), [['warn', NOT_ALLOWED, 'ci', ['app']]])
  assert.deepEqual(await told(['deploy', 'app'], keys), [])
})

test('an agent that cannot change users looks up none, and a database that does not answer says nothing of them', async () => {
  assert.deepEqual(await told(['gone'], [], { ...known, userSupport: () => 'root' }), [])
  const findAccount = () => Promise.reject(new Error('EIO'))
  assert.deepEqual(await told(['gone'], [], { ...known, findAccount }), [
    ['warn', 'the user database cannot be read', 'gone', undefined],
  ])
})
