import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createBytesSigner, createSigner } from '../../../../lib/client/credentials.ts'
import { parseMessage, queueHeaders, queueTarget, queueUrl } from '../../../../lib/fleet/queue/message.ts'
import { isSignedBy } from '../../../../lib/fleet/queue/own-signature.ts'
import { rawMessage } from '../../../support/raw-queue-message.ts'

const ID = 'id-of-a-job'
const DB = { name: 'role', value: 'db' }
const privateKey = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const OWN = { secret: 'a secret', keyId: 'ci' }
const PAIR = { privateKey, keyId: 'ci' }

const signed = async (credentials: typeof OWN | typeof PAIR) => {
  const body = new TextEncoder().encode('{"cmd":"true"}')
  const target = queueTarget('cmd', { once: true, tries: 2, limit: null })
  const own = { 'Idempotency-Key': ID }
  const expires = Math.floor(Date.now() / 1000) - 7 * 86_400
  const proof = await createSigner(credentials)({
    method: 'POST',
    url: queueUrl(DB, target),
    body,
    headers: own,
    expires,
  })
  return parseMessage(queueHeaders(ID, target, Object.entries({ ...own, ...proof })), body)!
}

test('what a key has signed it knows again, however old that is', async () => {
  for (const credentials of [OWN, PAIR])
    assert.ok(await isSignedBy(createBytesSigner(credentials), await signed(credentials), DB))
})

test('another program signs in its own way, with the same key', async () => {
  const { headers, body } = rawMessage({ id: ID, cmd: 'true', secret: OWN.secret, keyId: 'ci' })
  const message = parseMessage(headers, new TextEncoder().encode(body))!
  assert.ok(await isSignedBy(createBytesSigner(OWN), message, DB))
})

test('what another key has signed, or nobody, is not its own', async () => {
  const message = await signed(OWN)
  for (const other of [{ ...OWN, secret: 'another secret' }, PAIR])
    assert.ok(!(await isSignedBy(createBytesSigner(other), message, DB)))
  const unsigned = { ...message, headers: message.headers.filter(([name]) => !name.startsWith('signature')) }
  assert.ok(!(await isSignedBy(createBytesSigner(OWN), unsigned, DB)))
})

test('what was changed since is not its own', async () => {
  const message = await signed(OWN)
  const sign = createBytesSigner(OWN)
  const withHeader = (name: string, value: string) => ({
    ...message,
    headers: message.headers.map(([one, old]): [string, string] => [one, one === name ? value : old]),
  })
  const changed = [
    { ...message, body: new TextEncoder().encode('{"cmd":"id"}') },
    { ...message, target: '/api/jobs/execute/cmd' },
    { ...message, target: '/api/jobs/execute/script?once=true&tries=2' },
    { ...message, method: 'GET' },
    withHeader('idempotency-key', 'another-id'),
    withHeader('content-digest', 'sha-256=:AAAA:'),
    withHeader('signature', 'newdt=:AAAA:'),
  ]
  for (const one of changed) assert.ok(!(await isSignedBy(sign, one, DB)))
  assert.ok(!(await isSignedBy(sign, message, { ...DB, value: 'web' })))
})
