import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assertSimpleJson } from '../../../handlers/http/simple-json.ts'
import { AgentError } from '../../../lib/base/errors.ts'
import { assertBadRequest, COMMAND_PATH, createFake, post, submittedBy } from '../fake-services.ts'

const roomy = () => createFake({ bodyLimit: 1e7 })
const TOO_DEEP = 'JSON 嵌套超过 16 层'
const TOO_MANY = 'JSON 中的值超过 2000 个'

const isSimple = (text: string): boolean => {
  try {
    assertSimpleJson(Buffer.from(text))
    return true
  } catch (error) {
    assert.ok(error instanceof AgentError)
    return false
  }
}

test('JSON of sixteen levels is simple, of seventeen it is not', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    assert.equal(isSimple(`${open.repeat(16)}1${close.repeat(16)}`), true)
    assert.equal(isSimple(`${open.repeat(17)}1${close.repeat(17)}`), false)
  }
})

test('what is closed again does not count as nested', () => {
  assert.equal(isSimple(`[${'[],{},'.repeat(900)}1]`), true)
})

test('JSON of two thousand values is simple, of one more it is not', () => {
  const list = (length: number) => JSON.stringify(Array.from({ length }, () => 0))
  assert.deepEqual([isSimple(list(2000)), isSimple(list(2001))], [true, false])
})

test('nothing within a string counts, whatever is escaped in it', () =>
  fc.assert(
    fc.property(fc.string(), text => {
      const noise = `${text}"[{,\\`.repeat(500)
      assert.equal(isSimple(JSON.stringify([noise, { [noise]: noise }])), true)
    }),
  ))

test('half a million variables, nested or endless values are refused before they are parsed', async () => {
  const variables = Array.from({ length: 500_000 }, (_, index) => `"${index}=":1`).join(',')
  await assertBadRequest(post(COMMAND_PATH, `{"cmd":"a","env":{${variables}}}`), TOO_MANY, roomy())
  await assertBadRequest(post(COMMAND_PATH, `{"cmd":${'['.repeat(4_000_000)}`), TOO_DEEP, roomy())
  await assertBadRequest(post(COMMAND_PATH, `[${'[],'.repeat(1_000_000)}[]]`), TOO_MANY, roomy())
  await assertBadRequest(post(COMMAND_PATH, `{${'"x":1,'.repeat(1_000_000)}"x":1}`), TOO_MANY, roomy())
})

test('a thousand variables are taken, one more is refused', async () => {
  const env = (length: number) =>
    Object.fromEntries(Array.from({ length }, (_, index) => [`V${index}`, 'x'] as const))
  const submitted = await submittedBy(post(COMMAND_PATH, { cmd: 'a', env: env(1000) }), roomy())
  assert.equal(Object.keys(submitted.env as object).length, 1000)
  await assertBadRequest(post(COMMAND_PATH, { cmd: 'a', env: env(1001) }), 'env 不能超过 1000 项', roomy())
})

test('of a thousand bad variables ten are checked and named', async () => {
  const seen: string[] = []
  const names = Array.from({ length: 1000 }, (_, index) => `AGENT_${index}`)
  const { commandSchema } = await import('../../../handlers/jobs/job-schema.ts')
  const env = new Proxy(Object.fromEntries(names.map(name => [name, 'x'])), {
    get(target, name) {
      seen.push(String(name))
      return Reflect.get(target, name)
    },
  })
  const { error } = commandSchema.safeParse({ cmd: 'a', env })
  assert.equal(error?.issues.length, 10)
  assert.equal(seen.filter(name => names.includes(name)).length, 10)
})
