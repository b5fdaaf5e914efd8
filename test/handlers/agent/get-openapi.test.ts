import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openApi } from '../../support/answer-schemas.ts'
import { createFake, signed, unsigned } from '../fake-services.ts'

test('the document is plain JSON with the version of the agent, for who may read', async () => {
  const { status, body, headers } = await createFake({ rights: ['read'] }).ask(signed('/openapi.json'))
  assert.equal(status, 200)
  assert.deepEqual(body, openApi)
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
  assert.equal((await createFake().ask(unsigned('/openapi.json'))).status, 401)
  assert.equal((await createFake({ rights: ['run'] }).ask(signed('/openapi.json'))).status, 403)
})

test('it is made once', async () => {
  await createFake().ask(signed('/openapi.json'))
  const fake = createFake()
  const { text } = await fake.ask(signed('/openapi.json'))
  assert.deepEqual([JSON.parse(text), fake.calls], [openApi, []])
})
