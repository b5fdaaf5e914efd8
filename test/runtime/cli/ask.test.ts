import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { runVerb } from '../../support/run-verb.ts'

test('that nobody is there is told soon, also to who asks for a job by its whole id', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  const env = { NEWDT_HOST: `http://127.0.0.1:${port}`, NEWDT_SECRET: 's' }
  const since = performance.now()
  for (const verb of ['logs', 'wait', 'inspect', 'top', 'rerun'])
    await assert.rejects(runVerb([verb, '0'.repeat(32)], env), { word: 'unreachable' }, verb)
  assert.ok(performance.now() - since < 20_000)
})
