import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import {
  assertBadRequest,
  CALLER,
  createFake,
  ID,
  jobRecord,
  post,
  SCRIPT,
  SCRIPT_PATH,
  submittedBy,
  succeeded,
} from '../fake-services.ts'

const BAD_NAME = 'scriptName 应为 1 到 100 个字母、数字、汉字或 . _ - 组成的文件名，且不能是 . 或 ..'
const UNBALANCED = 'params 引号或反斜杠没有配对'

const script = (fields: object = {}) => post(SCRIPT_PATH, { ...SCRIPT, ...fields })
const REQUEST = {
  cmd: '',
  params: '',
  async: false,
  script: { name: 'x.sh', content: 'echo 1', type: 'shell', words: [] },
}

test("the contract's synchronous script is submitted and answered with the finished job", async () => {
  const record = jobRecord({ cmd: '' })
  const fake = createFake({ job: { now: async () => record } })
  const { status, body, headers } = await fake.ask(script({ async: false }))
  assert.deepEqual({ status, body }, { status: 200, body: succeeded(jobToJson(record)) })
  assert.equal(headers.get('x-job-id'), ID)
  assert.deepEqual(fake.calls[0]?.slice(0, 3), ['submit', REQUEST, CALLER])
  assert.deepEqual(
    fake.calls.map(([name]) => name),
    ['submit', 'open', 'waitForEnd', 'now'],
  )
})

test("the contract's asynchronous script is answered without waiting for its end", async () => {
  const fake = createFake()
  assert.equal((await fake.ask(script({ async: true }))).status, 200)
  assert.deepEqual(fake.calls[0]?.slice(0, 3), ['submit', { ...REQUEST, async: true }, CALLER])
  assert.deepEqual(
    fake.calls.map(([name]) => name),
    ['submit', 'open', 'now'],
  )
})

test('cmd may stand empty in a script, as in the contract', async () => {
  assert.deepEqual(await submittedBy(script({ cmd: '' })), REQUEST)
})

test('a cmd in a script is refused by its name', async () => {
  for (const cmd of ['true', ' ', null, 1]) {
    const fake = createFake()
    const { status, body } = await fake.ask(script({ cmd }))
    assert.equal(status, 400)
    assert.match((body as { msg: string }).msg, /^请求参数无效：cmd /)
    assert.deepEqual(fake.calls, [])
  }
})

test('a script may be of python, and of any text', async () => {
  for (const scriptContent of ['', 'print(1)\n', '汉字 😀', 'a\0b', '\r\n']) {
    const fields = { scriptName: 'x.py', scriptType: 'python', scriptContent }
    const { script: submitted } = await submittedBy(script(fields))
    assert.deepEqual(submitted, { name: 'x.py', content: scriptContent, type: 'python', words: [] })
  }
})

test('what is missing of a script, or of a wrong type, is named', async () => {
  const types = 'scriptType 应为 shell 或 python'
  await assertBadRequest(post(SCRIPT_PATH, {}), `scriptName 缺失；scriptContent 缺失；${types}`)
  await assertBadRequest(
    script({ scriptName: 1, scriptContent: null }),
    'scriptName 应为 string；scriptContent 应为 string',
  )
  for (const scriptType of ['', 'SHELL', 'bash', 'perl', 'toString', null, 1, ['shell']]) {
    await assertBadRequest(script({ scriptType }), types)
  }
})

test('script content with a lone surrogate is refused, it would run as another script', async () => {
  await assertBadRequest(
    script({ scriptContent: 'echo \ud800' }),
    'scriptContent 含有不成对的 Unicode 代理项',
  )
})

test('a script name is 1 to 100 letters, digits, CJK letters, dots, dashes or underscores', async () => {
  const names = [
    'x',
    'x.sh',
    '...',
    '.x',
    '-rf',
    '_',
    'A-b_c.9',
    '脚本.sh',
    'スクリプト',
    'ひらがな',
    '한글.py',
  ]
  for (const scriptName of [...names, 'x'.repeat(100), '汉'.repeat(100), '𠀀'.repeat(100)]) {
    const { script: submitted } = await submittedBy(script({ scriptName }))
    assert.equal((submitted as { name: string }).name, scriptName)
  }
})

test('a script name that is no file name, or too long, is refused', async () => {
  const names = [
    '',
    '.',
    '..',
    '../../etc/cron.d/x',
    '/x',
    'a/b',
    'a\\b',
    'x\0.sh',
    'x.sh\0',
    'a\nb',
    'x.sh\n',
  ]
  names.push(' ', 'a b', 'a;b', '$(id)', '`id`', '*', '~', "'", 'é', '😀', '\ud800', '\u202ex', '\u200b')
  for (const scriptName of [...names, 'x'.repeat(101), 'x'.repeat(300), '汉'.repeat(101)]) {
    await assertBadRequest(script({ scriptName }), BAD_NAME)
  }
})

test('no name with a character that means something to a path or a shell gets through', () => {
  const part = fc.string({ unit: fc.constantFrom(...'ab.-_汉'), maxLength: 10 })
  const special = fc.constantFrom(...'/\\\0\n\r\t *?$;&|<>()\'"`~!#%=:,')
  return fc.assert(
    fc.asyncProperty(part, special, part, (before, character, after) =>
      assertBadRequest(script({ scriptName: before + character + after }), BAD_NAME),
    ),
  )
})

test('the params of a script are split into words, and kept as they were given', async () => {
  const cases: [params: string, words: string[]][] = [
    ['', []],
    ['  ', []],
    ['a b', ['a', 'b']],
    [`'a b' "c d" e\\ f ""`, ['a b', 'c d', 'e f', '']],
    ['$HOME `id` *;|& #x', ['$HOME', '`id`', '*;|&', '#x']],
    ['汉 字', ['汉', '字']],
  ]
  for (const [params, words] of cases) {
    const submitted = await submittedBy(script({ params }))
    assert.deepEqual(submitted, { ...REQUEST, params, script: { ...REQUEST.script, words } })
  }
})

test('params with an open quote or a last backslash are refused', async () => {
  for (const params of ["'", '"', "it's", 'a "b', '\\', 'a\\', '"a\\"', `'a' "b`]) {
    await assertBadRequest(script({ params }), UNBALANCED)
  }
})
