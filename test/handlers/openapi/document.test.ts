import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { ERROR_REPLIES } from '../../../handlers/http/error-replies.ts'
import { OPERATIONS } from '../../../handlers/openapi/operations.ts'
import { SECURITY, SECURITY_SCHEMES } from '../../../handlers/openapi/security.ts'
import { OPEN_ROUTES, ROUTES } from '../../../handlers/routes.ts'
import { faultsOf, type Json, openApi } from '../../support/answer-schemas.ts'
import { createFake, ID, post, signed } from '../fake-services.ts'

/** Every part of the document, with the names that lead to it. */
function* partsOf(json: Json, pointer: string[] = []): Generator<[string[], Json]> {
  yield [pointer, json]
  if (json === null || typeof json !== 'object') return
  for (const [name, part] of Object.entries(json)) yield* partsOf(part, [...pointer, name])
}

const PARTS = [...partsOf(openApi)]
const ALL_ROUTES = [...OPEN_ROUTES, ...ROUTES]

interface Parameter {
  name: string
  in: string
  schema: { type: string; default?: Json; examples?: Json[]; [name: string]: unknown }
}
interface Operation {
  operationId: string
  parameters: Parameter[]
  security?: object[]
  'x-rights'?: string[]
  requestBody?: { content: { 'application/json': { examples: Record<string, { value: object }> } } }
}
const PATHS = openApi.paths as unknown as Record<string, Record<string, Operation>>

const operationOf = ({ path, method }: { path: string; method: string }): Operation =>
  PATHS[path.replace(':id', '{id}')]![method]!

test('a validator of OpenAPI takes the document as 3.1', async () => {
  const validator = new Validator()
  assert.deepEqual(await validator.validate(structuredClone(openApi)), { valid: true })
  assert.equal(validator.version, '3.1')
})

test('it has every endpoint of the route table and no other, each by a name of its own', () => {
  const described = Object.entries(PATHS).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId }]) => `${method} ${path} ${operationId}`),
  )
  assert.deepEqual(
    described,
    ALL_ROUTES.map(({ method, path, operation }) => `${method} ${path.replace(':id', '{id}')} ${operation}`),
  )
  assert.deepEqual(ALL_ROUTES.map(({ operation }) => operation).sort(), Object.keys(OPERATIONS).sort())
})

test('it says which right an endpoint needs, and which need no credentials', () => {
  for (const route of ROUTES) {
    assert.deepEqual([operationOf(route)['x-rights'], operationOf(route).security], [route.rights, undefined])
  }
  for (const route of OPEN_ROUTES) assert.deepEqual(operationOf(route).security, [])
})

test('every word of an error is in it, with an example and the headers that it comes with', () => {
  for (const [word, { status, headers }] of Object.entries(ERROR_REPLIES)) {
    const answers = PARTS.filter(([pointer]) => pointer.at(-1) === word && pointer.at(-2) === 'examples')
    assert.notEqual(answers.length, 0, word)
    for (const [pointer, example] of answers) {
      const { value } = example as { value: { code: number; error?: string } }
      const isRejection = word === 'too-many-jobs'
      assert.deepEqual([value.code, value.error], isRejection ? [1, undefined] : [status, word])
      const response = pointer.slice(0, pointer.indexOf('content'))
      for (const name of Object.keys(headers?.({} as never) ?? {})) {
        assert.ok(
          PARTS.some(([other]) => other.join('/') === [...response, 'headers', name].join('/')),
          `${word} ${name}`,
        )
      }
    }
  }
})

test('every schema says what it is, and every example is as its schema says', () => {
  const schemas = PARTS.filter(([pointer]) => pointer.at(-1) === 'schema')
  assert.ok(schemas.length > 100)
  for (const [pointer, schema] of schemas) {
    assert.notDeepEqual(schema, {}, pointer.join(' '))
    const media = PARTS.find(([other]) => other.join(' ') === pointer.slice(0, -1).join(' '))![1]
    const { examples = {} } = media as { examples?: Record<string, { value: Json }> }
    for (const { value } of Object.values(examples))
      assert.deepEqual(faultsOf(pointer, value), [], pointer.join(' '))
    const own = (schema as { examples?: Json[] }).examples ?? []
    for (const value of own) assert.deepEqual(faultsOf(pointer, value), [], pointer.join(' '))
  }
})

test('the agent takes every example of a body', async () => {
  for (const { path, method } of ROUTES) {
    const examples = operationOf({ path, method }).requestBody?.content['application/json'].examples ?? {}
    for (const { value } of Object.values(examples)) {
      const { status, text } = await createFake().ask(post(path.replace(':id', ID), value))
      assert.equal(status, 200, text)
    }
    assert.equal(method === 'post', Object.keys(examples).length > 0, path)
  }
})

/** What a parameter may be, by its schema: the ends of a range, each of a few values, what it is by default. */
const valuesOf = ({ type, ...schema }: Parameter['schema']): unknown[] => {
  const { minimum, maximum, items, examples = [], default: byDefault } = schema
  const values: unknown[] = [minimum, maximum, byDefault, ...examples, ...((schema.enum ?? []) as string[])]
  if (type === 'boolean') values.push(true, false)
  if (type === 'array') {
    const { enum: many = ['a=b', 'c=d'] } = items as { enum?: string[] }
    values.push(many.join(), many[0])
  }
  if (type === 'string' && !values.some(value => value !== undefined))
    values.push(schema.pattern ? ID : '30s')
  return values.filter(value => value !== undefined)
}

test('the agent takes what it describes as values of a query, and refuses what is out of range', async () => {
  let asked = 0
  for (const { path, method } of ROUTES) {
    for (const { name, in: place, schema } of operationOf({ path, method }).parameters) {
      if (place !== 'query') continue
      const statusFor = async (value: unknown) =>
        (
          await createFake().ask(
            signed(`${path.replace(':id', ID)}?${name}=${encodeURIComponent(String(value))}`),
          )
        ).status
      for (const value of valuesOf(schema)) {
        assert.equal(await statusFor(value), 200, `${path} ${name}=${value}`)
        asked++
      }
      if (schema.type === 'string') continue
      for (const value of ['x', Number(schema.minimum) - 1, Number(schema.maximum ?? 10 ** 15) + 1]) {
        assert.equal(await statusFor(value), 400, `${path} ${name}=${value}`)
      }
    }
  }
  assert.ok(asked > 30, String(asked))
})

test('every kind of credential is named, the one that generated clients can send first', () => {
  assert.deepEqual(
    SECURITY.map(one => Object.keys(one).join()),
    [
      'token',
      'messageSignature,messageSignatureInput',
      'sign,signAt',
      'signInQuery,signAtInQuery',
      'certificate',
    ],
  )
  assert.deepEqual(SECURITY.flatMap(one => Object.keys(one)).sort(), Object.keys(SECURITY_SCHEMES).sort())
})
