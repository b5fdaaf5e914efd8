import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFake, succeeded, unsigned } from './fake-services.ts'

test('without a signature, /healthz says that the agent is up, and nothing else', async () => {
  const fake = createFake()
  const { status, body, headers } = await fake.ask(unsigned('/healthz'))
  assert.deepEqual({ status, body }, { status: 200, body: succeeded('up') })
  assert.deepEqual([...headers.keys()].sort(), ['content-length', 'content-type'])
  assert.deepEqual(fake.calls, [])
})

test('a wrong signature does not matter to /healthz', async () => {
  const authenticate = () => assert.fail('the signature was checked')
  const { status } = await createFake({ authenticator: { authenticate } }).ask(
    unsigned('/healthz?sign=x&signAt=y'),
  )
  assert.equal(status, 200)
})
