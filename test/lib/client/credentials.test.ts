import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSigner } from '../../../lib/client/credentials.ts'

const url = new URL('http://127.0.0.1/api/jobs?limit=1')
const componentsOf = async (request: Parameters<ReturnType<typeof createSigner>>[0]): Promise<string> => {
  const headers = await createSigner({ secret: 'shindata' })(request)
  return /^newdt=\((.*?)\)/.exec(headers['Signature-Input']!)![1]!
}

test('a signature covers the request, its body, and the key that makes it run once', async () => {
  assert.equal(await componentsOf({ method: 'GET', url }), '"@method" "@authority" "@path" "@query"')
  const body = new TextEncoder().encode('{}')
  const headers = { 'Idempotency-Key': 'once', Accept: 'text/event-stream' }
  assert.equal(
    await componentsOf({ method: 'POST', url, body, headers }),
    '"@method" "@authority" "@path" "@query" "content-digest" "idempotency-key"',
  )
})
