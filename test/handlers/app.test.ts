import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure } from '../../lib/base/errors.ts'
import { withDeadline } from './deadline.ts'
import { createFakeOutput } from './fake-output.ts'
import {
  assertRefused,
  COMMAND_PATH,
  createFake,
  failed,
  ID,
  post,
  REQUEST_ID,
  SCRIPT_PATH,
  signed,
  unsigned,
} from './fake-services.ts'

const JOB_PATH = `/api/jobs/${ID}`
const GETS = [
  '/healthz',
  '/api/agent',
  '/api/agent/history',
  '/api/jobs',
  '/api/jobs/countOfRunningJobs',
  JOB_PATH,
  `${JOB_PATH}/processes`,
]
const STREAMS = ['stdout', 'stderr', 'output', 'events'].map(name => `${JOB_PATH}/${name}`)
const POSTS = [COMMAND_PATH, SCRIPT_PATH, `${JOB_PATH}/cancel`, `${JOB_PATH}/signal`]
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

for (const path of GETS) {
  test(`HEAD ${path} answers as GET does, without the body`, async () => {
    const fake = createFake()
    const get = await fake.ask(signed(path))
    const head = await fake.ask(signed(path, { method: 'HEAD' }))
    assert.equal(get.status, 200)
    assert.deepEqual({ status: head.status, text: head.text }, { status: 200, text: '' })
    assert.deepEqual([...head.headers], [...get.headers])
    assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(get.text)))
  })
}

for (const path of STREAMS) {
  test(`HEAD ${path} has the headers of GET and no body, and lets go of the output`, async () => {
    for (const query of path.endsWith('events') ? ['', '?after=1'] : ['', '?follow=true', '?tail=1']) {
      for (const isRunning of [true, false]) {
        const output = createFakeOutput().append('stdout', 'a\n').append('stderr', 'b\n')
        if (!isRunning) output.end()
        const fake = createFake({ jobs: { open: output.open } })
        const get = await fake.open(signed(path + query))
        await get.body?.cancel()
        const opened = output.opened
        const head = await withDeadline(fake.open(signed(path + query, { method: 'HEAD' })), 'the answer')
        assert.deepEqual([head.status, head.body], [get.status, null])
        assert.deepEqual([...head.headers], [...get.headers])
        assert.deepEqual([output.taken, output.released], [0, output.opened])
        assert.ok(output.opened <= opened + 1)
        assert.deepEqual([output.jobsOpened, output.jobsClosed], [2, 2])
        assert.deepEqual(fake.reported, [])
      }
    }
  })
}

test('HEAD cancels a body that is being made, and waits for nothing of it', async () => {
  const output = createFakeOutput()
  const fake = createFake({ jobs: { open: output.open } })
  const head = await withDeadline(
    fake.open(signed(`${JOB_PATH}/output?follow=true`, { method: 'HEAD' })),
    'the answer',
  )
  assert.equal(head.status, 200)
  assert.equal(output.opened, output.released)
})

for (const [paths, allowed, allow] of [
  [[...GETS, ...STREAMS], ['GET', 'HEAD'], 'GET, HEAD'],
  [POSTS, ['POST'], 'POST'],
] as const) {
  for (const path of paths) {
    test(`${path} refuses every method but ${allow} with 405, and says so in Allow`, async () => {
      for (const method of METHODS.filter(name => !allowed.some(other => other === name))) {
        const fake = createFake()
        const { status, body, headers } = await fake.ask(signed(path, { method }))
        assert.equal(status, 405, method)
        assert.equal(headers.get('allow'), allow)
        if (method !== 'HEAD') assert.deepEqual(body, failed(405, `请求方法不支持，可用：${allow}`))
        assert.deepEqual(fake.calls, [])
      }
    })
  }
}

test('an unknown path is 404 with any method', async () => {
  const paths = ['/', '/api', '/api/job', '/API/jobs', `${JOB_PATH}/nope`, '/api/jobs/execute/other']
  paths.push(`${JOB_PATH}/processes/1`, `${JOB_PATH}/signal/HUP`, `${JOB_PATH}/Signal`, '/api/jobs//x/signal')
  for (const path of [...paths, '/healthz/x', '//api/jobs', '/api/jobs/execute/cmd/x']) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      await assertRefused(createFake(), signed(path, { method }), 404, '接口不存在')
    }
  }
})

test('an unknown path and a wrong method are 401 without a signature', async () => {
  for (const request of [unsigned('/nope'), unsigned('/api/jobs', { method: 'DELETE' })]) {
    await assertRefused(createFake(), request, 401, '缺少签名')
  }
})

const REQUESTS: Record<string, () => Request> = {
  submit: () => post(COMMAND_PATH, { cmd: 'true' }),
  list: () => signed('/api/jobs'),
  cancel: () => signed(`${JOB_PATH}/cancel`, { method: 'POST' }),
  signal: () => post(`${JOB_PATH}/signal`, { signal: 'HUP' }),
  listProcesses: () => signed(`${JOB_PATH}/processes`),
  countRunning: () => signed('/api/jobs/countOfRunningJobs'),
  open: () => signed(`${JOB_PATH}/events`),
}
const INTERNAL = failed(500, `内部错误，请求编号 ${REQUEST_ID}`)

for (const [service, request] of Object.entries(REQUESTS)) {
  test(`an unexpected error of ${service} is reported and answered with nothing but the request id`, async () => {
    // Some libraries copy `status` and other properties of an error into the answer.
    const error = Object.assign(new Error('disk /root/secret'), {
      status: 418,
      code: 'EIO',
      secret: 'hidden',
    })
    const fake = createFake({
      jobs: {
        [service]: () => {
          throw error
        },
      },
    })
    const { status, body, headers } = await fake.ask(request())
    assert.deepEqual({ status, body }, { status: 500, body: INTERNAL })
    assert.deepEqual([...headers.keys()].sort(), ['content-length', 'content-type'])
    assert.deepEqual(fake.reported, [[error, REQUEST_ID]])
    assert.equal(fake.reported[0]![0], error)
  })
}

test('an output that cannot be looked at is a 500, before anything of an answer was sent', async () => {
  const error = new Error('disk /root/secret')
  const view = createFakeOutput().end().view
  const throwing = () => {
    throw error
  }
  for (const [query, broken] of [
    ['', { size: throwing }],
    ['', { isRunning: throwing }],
    ['?tail=1', { tailStart: throwing }],
    ['?tail=1&follow=true', { tailStart: throwing }],
  ] as const) {
    const fake = createFake({ job: { output: { ...view, ...broken } } })
    const { status, body } = await fake.ask(signed(`${JOB_PATH}/stdout${query}`))
    assert.deepEqual({ status, body }, { status: 500, body: INTERNAL })
    assert.deepEqual(fake.reported, [[error, REQUEST_ID]])
    assert.deepEqual(fake.opens, { opened: 1, closed: 1 })
  }
})

test('a HEAD that fails has the status of GET and no body', async () => {
  for (const [error, status] of [
    [failure('unknown-job'), 404],
    [new Error('secret text'), 500],
  ] as const) {
    const fake = createFake({ jobs: { listProcesses: () => Promise.reject(error) } })
    const get = await fake.ask(signed(`${JOB_PATH}/processes`))
    const head = await fake.ask(signed(`${JOB_PATH}/processes`, { method: 'HEAD' }))
    assert.deepEqual([get.status, head.status, head.text], [status, status, ''])
    assert.deepEqual([...head.headers], [...get.headers])
  }
})

test('what is thrown need not be an error, and a promise may be rejected with it', async () => {
  for (const thrown of [undefined, null, 'secret text', 418, { status: 200, message: 'secret text' }]) {
    const fake = createFake({ jobs: { submit: () => Promise.reject(thrown) } })
    const { status, body } = await fake.ask(post(COMMAND_PATH, { cmd: 'true' }))
    assert.deepEqual({ status, body }, { status: 500, body: INTERNAL })
    assert.deepEqual(fake.reported, [[thrown, REQUEST_ID]])
  }
})

test('a signature check that throws lets nobody in', async () => {
  const authenticate = () => {
    throw new Error('no md5')
  }
  const fake = createFake({ authenticator: { authenticate } })
  const { status, body } = await fake.ask(post(COMMAND_PATH, { cmd: 'true' }))
  assert.deepEqual({ status, body }, { status: 500, body: INTERNAL })
  assert.deepEqual(fake.calls, [])
})

test('an expected failure is answered as it is and not reported', async () => {
  const fake = createFake({ jobs: { submit: () => raise(failure('not-stored')) } })
  const { status, body, headers } = await fake.ask(post(COMMAND_PATH, { cmd: 'true' }))
  assert.equal(status, 503)
  assert.deepEqual(body, failed(503, '任务记录无法写入存储，任务未执行，请稍后再尝试'))
  assert.equal(headers.get('retry-after'), '1')
  assert.deepEqual(fake.reported, [])
})

const raise = (error: Error): never => {
  throw error
}
