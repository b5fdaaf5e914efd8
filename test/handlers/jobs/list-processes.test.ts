import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure } from '../../../lib/base/errors.ts'
import { createFake, failed, ID, signed, succeeded } from '../fake-services.ts'

const processes = (id = ID) => signed(`/api/jobs/${id}/processes`)

test('the processes are an array in the order of the service, with what it tells of each', async () => {
  const living = [
    {
      pid: 9,
      parent: 1,
      state: 'S',
      command: 'sleep 60',
      cpu: { user: 0.01, system: 0 },
      residentBytes: 1024,
    },
    { pid: 8, parent: 9, state: 'D', command: '汉字 "x"\n', cpu: { user: 0, system: 1.5 }, residentBytes: 0 },
  ]
  const fake = createFake({
    jobs: { listProcesses: async () => living.map(one => ({ ...one, startTime: 7, mark: 3 })) },
  })
  const { status, body } = await fake.ask(processes())
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(living) })
  assert.deepEqual(fake.calls, [['listProcesses', ID]])
})

test('a job of which nothing lives has an empty array, not a 404', async () => {
  const { status, body } = await createFake().ask(processes())
  assert.deepEqual({ status, body }, { status: 200, body: succeeded([]) })
})

test('the processes of an unknown job are 404', async () => {
  const fake = createFake({ jobs: { listProcesses: () => Promise.reject(failure('unknown-job')) } })
  const { status, body } = await fake.ask(processes('nope'))
  assert.deepEqual({ status, body }, { status: 404, body: failed(404, '任务不存在') })
  assert.deepEqual(fake.calls, [['listProcesses', 'nope']])
  assert.deepEqual(fake.reported, [])
})

test('an id is looked up as it came, whatever it looks like', async () => {
  for (const id of [
    'a%2Fb',
    '%00',
    '..%2f..',
    'execute',
    'countOfRunningJobs',
    '__proto__',
    "';drop%20table",
  ]) {
    const fake = createFake({ jobs: { listProcesses: () => Promise.reject(failure('unknown-job')) } })
    assert.equal((await fake.ask(processes(id))).status, 404)
    assert.deepEqual(fake.calls, [['listProcesses', id]])
  }
})
