import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutToBytes } from '../../../handlers/jobs/cut-to-bytes.ts'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { assertBadRequest, createFake, ID, jobRecord, signed, succeeded } from '../fake-services.ts'

const STATES = ['running', 'success', 'failed', 'canceled', 'rejected']
const BAD_LIMIT = 'limit 应为 1 到 200 的整数'
const BAD_STATE = 'state 应为 running 或 success 或 failed 或 canceled 或 rejected，可用逗号并列'

const queryOf = async (query: string): Promise<unknown> => {
  const fake = createFake()
  assert.equal((await fake.ask(signed(`/api/jobs${query}`))).status, 200, query)
  assert.equal(fake.calls.length, 1)
  assert.equal(fake.calls[0]![0], 'list')
  return JSON.parse(JSON.stringify(fake.calls[0]![1]))
}

test('the list is an array of jobs in the order of the service', async () => {
  const jobs = [jobRecord({ id: 'b'.repeat(32) }), jobRecord({ id: 'a'.repeat(32) })]
  const whole = { cmdTruncated: false, paramsTruncated: false, execCmdTruncated: false }
  const { status, body } = await createFake({ jobs: { list: async () => jobs } }).ask(signed('/api/jobs'))
  assert.deepEqual(
    { status, body },
    { status: 200, body: succeeded(jobs.map(job => ({ ...jobToJson(job), ...whole }))) },
  )
})

test('no jobs are an empty array', async () => {
  const { body } = await createFake().ask(signed('/api/jobs'))
  assert.deepEqual(body, succeeded([]))
})

test('fifty jobs of any state are asked for unless the query says otherwise', async () => {
  assert.deepEqual(await queryOf(''), { limit: 50 })
  assert.deepEqual(await queryOf(`?state=failed&limit=7&before=${ID}`), {
    states: ['failed'],
    limit: 7,
    before: ID,
  })
})

test('every state can be asked for, and no other', async () => {
  for (const state of STATES)
    assert.deepEqual(await queryOf(`?state=${state}`), { states: [state], limit: 50 })
  for (const state of ['', 'RUNNING', 'running,', 'failed,killed', 'toString', 'killed']) {
    await assertBadRequest(signed(`/api/jobs?state=${state}`), BAD_STATE)
  }
})

test('several states and labels are asked for with commas, each once', async () => {
  assert.deepEqual(
    await queryOf('?state=failed,canceled,failed&label=env=prod,team=%E4%B8%9A%E5%8A%A1,env=prod'),
    {
      states: ['failed', 'canceled'],
      labels: ['env=prod', 'team=业务'],
      limit: 50,
    },
  )
  assert.deepEqual(await queryOf('?caller=alice&q=a%20%25b&label=empty='), {
    caller: 'alice',
    text: 'a %b',
    labels: ['empty='],
    limit: 50,
  })
  for (const label of [
    '',
    'env',
    '=prod',
    'env=prod,',
    '.a=b',
    'a=b%20c',
    `${'a'.repeat(64)}=b`,
    `a=${'b'.repeat(129)}`,
  ])
    await assertBadRequest(signed(`/api/jobs?label=${label}`), 'label 应为 name=value，可用逗号并列')
  const many = (count: number) => Array.from({ length: count }, (_, n) => `l${n}=x`).join()
  assert.equal(((await queryOf(`?label=${many(16)}`)) as { labels: string[] }).labels.length, 16)
  await assertBadRequest(signed(`/api/jobs?label=${many(17)}`), 'label 应为 name=value，可用逗号并列')
  for (const name of ['caller', 'q']) await assertBadRequest(signed(`/api/jobs?${name}=`), `${name} 不能为空`)
})

test('a time is RFC 3339, or how long ago; anything else is refused', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  const times = {
    '2026-11-24T10:00:00Z': Date.UTC(2026, 10, 24, 10),
    '2028-02-29T10:00:00Z': Date.UTC(2028, 1, 29, 10),
    '2026-11-24T10:00:00.25Z': Date.UTC(2026, 10, 24, 10, 0, 0, 250),
    '2026-11-24T18:00:00%2B08:00': Date.UTC(2026, 10, 24, 10),
    '2026-11-24T18:00:00+08:00': Date.UTC(2026, 10, 24, 10), // The plus sign arrives as a space.
    '2026-11-24T05:00:00-05:00': Date.UTC(2026, 10, 24, 10),
    '1h': 1_800_000_000_000 - 3_600_000,
    '1.5s': 1_800_000_000_000 - 1500,
  }
  for (const [text, ms] of Object.entries(times)) {
    assert.deepEqual(await queryOf(`?since=${text}`), { sinceMs: ms, limit: 50 })
    assert.deepEqual(await queryOf(`?until=${text}`), { untilMs: ms, limit: 50 })
  }
  for (const text of [
    '',
    '1',
    '-1h',
    'now',
    '2026-11-24',
    '2026-11-24T10:00:00',
    '2026-13-24T10:00:00Z',
    '2026-02-29T10:00:00Z',
    '2026-11-31T10:00:00Z',
    '2026-11-00T10:00:00Z',
    '2026-11-24 10:00:00Z',
  ])
    await assertBadRequest(
      signed(`/api/jobs?since=${text}`),
      'since 应为多久以前（例如 "1h"）或 RFC 3339 时间（例如 "2026-01-31T12:00:00Z"）',
    )
})

test('a limit is taken exactly if it is a number from 1 to 200', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: -300, max: 2300 }), async limit => {
      if (limit >= 1 && limit <= 200) assert.deepEqual(await queryOf(`?limit=${limit}`), { limit })
      else await assertBadRequest(signed(`/api/jobs?limit=${limit}`), BAD_LIMIT)
    }),
    { examples: [[0], [1], [199], [200], [201]] },
  ))

test('a limit that is no plain number is refused', async () => {
  for (const limit of ['', 'abc', '1.5', '1e2', '0x10', '%2B5', '%205', '5%0A', '٣', 'NaN', '00', '000']) {
    await assertBadRequest(signed(`/api/jobs?limit=${limit}`), BAD_LIMIT)
  }
})

test('before must be an id', async () => {
  for (const before of ['', 'x', ID.slice(1), `${ID}0`, ID.toUpperCase(), `${ID}%0A`, `${ID.slice(1)}g`]) {
    await assertBadRequest(signed(`/api/jobs?before=${before}`), 'before 应为任务 ID')
  }
})

test('every mistake is named in one answer', async () => {
  await assertBadRequest(
    signed('/api/jobs?state=x&limit=0&before=y'),
    `${BAD_STATE}；${BAD_LIMIT}；before 应为任务 ID`,
  )
})

test('a repeated parameter is refused', async () => {
  for (const name of ['state', 'limit', 'before']) {
    await assertBadRequest(signed(`/api/jobs?${name}=1&${name}=1`), `${name} 重复`)
  }
})

test('a list has a command, its params and both together cut to 1 KB, and says so of each', async () => {
  const long = jobRecord({ cmd: '汉'.repeat(40_000) })
  const withParams = jobRecord({ cmd: 'x'.repeat(1000) })
  withParams.job.params = 'y'.repeat(1024)
  const fake = createFake({ jobs: { list: async () => [long, withParams] } })
  const { body } = await fake.ask(signed('/api/jobs'))
  const [first, second] = (body as { data: Record<string, unknown>[] }).data
  assert.equal(first!.cmd, '汉'.repeat(341))
  assert.equal(first!.execCmd, first!.cmd)
  const flags = ({ cmdTruncated, paramsTruncated, execCmdTruncated }: Record<string, unknown>) => [
    cmdTruncated,
    paramsTruncated,
    execCmdTruncated,
  ]
  assert.deepEqual(flags(first!), [true, false, true])
  assert.deepEqual([second!.cmd, second!.params], [withParams.job.cmd, withParams.job.params])
  assert.equal(second!.execCmd, `${'x'.repeat(1000)} ${'y'.repeat(23)}`)
  assert.deepEqual(flags(second!), [false, false, true])
})

test('a job that is asked for by its id has its command whole, and no word of cutting', async () => {
  const record = jobRecord({ cmd: 'x'.repeat(2000) })
  const { body } = await createFake({ job: { now: async () => record } }).ask(signed(`/api/jobs/${ID}`))
  const { data } = body as { data: Record<string, unknown> }
  assert.equal(data.cmd, record.job.cmd)
  assert.equal('cmdTruncated' in data, false)
})

test('a text is cut at the last border of a character that fits, and not at all when it fits', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat(60), (text, most) => {
      const cut = cutToBytes(text, most)
      assert.ok(text.startsWith(cut) && Buffer.byteLength(cut) <= most)
      const next = [...text.slice(cut.length)][0]
      if (next !== undefined) assert.ok(Buffer.byteLength(cut + next) > most)
    }),
  ))

test('a text with NUL is refused, for what stands behind it would not be looked for', async () => {
  await assertBadRequest(signed('/api/jobs?q=a%00b'), 'q 不能含有 NUL 字符')
})
