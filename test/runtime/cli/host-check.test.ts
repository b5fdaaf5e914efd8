import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeAgent } from '../../support/fake-agent.ts'
import { fakeSupport } from '../../support/fake-processes.ts'
import { runVerb } from '../../support/run-verb.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const status = {
  version: '0.1.0',
  running: 0,
  limit: 5,
  stopping: false,
  draining: false,
  caller: { id: 'default', rights: ['read'] },
}
const noCgroup = 'this system has no cgroup'
const limits = fakeSupport([], {}, { memory: noCgroup, cpus: noCgroup, nice: 'no nice' }).limitSupport()

const check = async (data: object, ...args: string[]) => {
  using agent = await fakeAgent(() => data)
  return await runVerb(['host', 'check', ...args], { XDG_CONFIG_HOME: scratchDirectory(), ...agent.env })
}

test('why a host can neither run jobs as other users nor keep all limits stands in its note, each reason once', async () => {
  const users = { missing: 'the agent is not root' }
  const { code, stdout } = await check({ ...status, users, limits })
  assert.equal(code, 0)
  assert.match(
    stdout,
    / no {5}no memory,cpus,nice {2}users: the agent is not root; memory,cpus: this system has no cgroup; nice: no nice\n$/,
  )
  const json = await check({ ...status, users, limits }, '-o', 'json')
  const [{ missing, missingLimits, otherUsers, isGood }] = JSON.parse(json.stdout)
  assert.deepEqual(missing, { users: users.missing, memory: noCgroup, cpus: noCgroup, nice: 'no nice' })
  assert.deepEqual([missingLimits, otherUsers, isGood], [['memory', 'cpus', 'nice'], false, true])
})

test('a host that lacks nothing has no note, and one that drains is not good', async () => {
  const all = { ...status, users: { possible: true }, limits: fakeSupport().limitSupport() }
  assert.match((await check(all)).stdout, / yes {4}all\n$/)
  const draining = await check({ ...all, draining: true })
  assert.match(draining.stdout, / failed [\s\S]* all {5}draining\n$/)
  assert.equal(draining.code, 1)
  const [old] = JSON.parse((await check(status, '-o', 'json')).stdout)
  assert.deepEqual([old.missing, old.missingLimits, old.otherUsers], [null, null, null])
})
