import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listed, message, textOf } from '../../../handlers/http/text.ts'
import { COMMAND_PATH, createFake, ID, post, SCRIPT, SCRIPT_PATH, signed } from '../fake-services.ts'

test('a message holds a text in both languages', () => {
  assert.deepEqual(textOf(message('中', 'en')), { zh: '中', en: 'en' })
  assert.deepEqual(textOf('neither'), { zh: 'neither', en: 'neither' })
})

test('several texts are listed once each', () => {
  const [a, b] = [
    { zh: '甲', en: 'a' },
    { zh: '乙', en: 'b' },
  ]
  assert.deepEqual(listed([a, b, a]), { zh: '甲；乙', en: 'a; b' })
})

const en = { 'Accept-Language': 'en' }
const command = (body: object) => post(COMMAND_PATH, body, en)
const look = (path: string) => signed(path, { headers: en })

/** What is wrong with a request, in English. */
const FAULTS: [Request, string][] = [
  [command({}), 'cmd is missing'],
  [command({ cmd: '' }), 'cmd must not be empty'],
  [command({ cmd: 1 }), 'cmd must be string'],
  [command({ cmd: 'a\0' }), 'cmd must not have a NUL character'],
  [command({ cmd: '\ud800' }), 'cmd has a lone Unicode surrogate'],
  [command({ cmd: 'x', cwd: 'a', when: 1 }), 'cwd must be an absolute path; unknown field when'],
  [command({ cmd: 'x', limits: { mem: 1 } }), 'limits: unknown field mem (is memory meant?)'],
  [command({ cmd: 'x', env: [] }), 'env must be object'],
  [command({ cmd: 'x', env: { 'a=b': '' } }), 'env.a=b is no name of a variable'],
  [command({ cmd: 'x', env: { AGENT_X: '' } }), 'env.AGENT_X is a reserved name'],
  [
    command({ cmd: 'x', env: { A: 1 } }),
    'env.A must be string, without NUL characters, of at most 131071 bytes',
  ],
  [command({ cmd: 'x', timeout: '1' }), 'timeout must be a duration above 0, at most 24d, such as "30s"'],
  [command({ cmd: 'x', encoding: 'x' }), 'encoding is no known encoding, such as "gbk"'],
  [command({ cmd: 'x', leftovers: 'x' }), 'leftovers must be keep or kill'],
  [command({ cmd: 'x', outputLimit: 'x' }), 'outputLimit must be a number of bytes, or a size such as "1mb"'],
  [post(SCRIPT_PATH, { ...SCRIPT, cmd: 'x', params: '"' }, en), 'cmd must be empty for a script'],
  [post(SCRIPT_PATH, { ...SCRIPT, params: '"' }, en), 'params has a quote or a backslash without its match'],
  [
    post(SCRIPT_PATH, { ...SCRIPT, scriptName: '..' }, en),
    'scriptName must be a file name of 1 to 100 letters, digits, CJK letters and . _ -, and not . or ..',
  ],
  [post(COMMAND_PATH, '{', en), 'the body is not valid JSON'],
  [post(COMMAND_PATH, Buffer.from([0xff]), en), 'the body is not valid UTF-8'],
  [post(COMMAND_PATH, '['.repeat(100), en), 'the JSON is nested deeper than 16 levels'],
  [
    post(COMMAND_PATH, { cmd: 'x' }, { ...en, 'Idempotency-Key': '' }),
    'Idempotency-Key must be 1 to 255 visible ASCII characters',
  ],
  [
    post(`/api/jobs/${ID}/signal`, { signal: 'X' }, en),
    'signal must be the name of a signal, such as "HUP" or "SIGHUP"',
  ],
  [
    post(`/api/jobs/${ID}/cancel`, { grace: '1' }, en),
    'grace must be a duration of at most 24d, such as 30s',
  ],
  [look('/api/jobs?limit=0'), 'limit must be a whole number from 1 to 200'],
  [look('/api/jobs?before=x'), 'before must be the id of a job'],
  [look('/api/jobs?limit=1&limit=2'), 'limit is repeated'],
  [look('/api/jobs?stat=x'), 'unknown parameter stat (is state meant?)'],
  [look(`/api/jobs/${ID}/stdout?tail=0`), 'tail must be a number of lines, 1 or more'],
  [look(`/api/jobs/${ID}/events?after=x`), 'after must be the number of an event'],
]

for (const [request, detail] of FAULTS) {
  test(`in English: ${detail}`, async () => {
    const { status, body } = await createFake().ask(request)
    const { msg } = body as { msg: string }
    assert.deepEqual([status, msg], [400, `invalid request: ${detail}`])
  })
}
