import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { connectionOptions } from '../../../runtime/nats/connection-options.ts'

const isGood = (servers: string[], host: string, altNames: string): boolean => {
  const { tls } = connectionOptions({ servers, tls: {}, inbox: '_INBOX' })
  const { checkServerIdentity } = tls as { checkServerIdentity(host: string, one: PeerCertificate): unknown }
  return (
    checkServerIdentity(host, { subjectaltname: altNames, subject: {} } as unknown as PeerCertificate) ===
    undefined
  )
}

test('the certificate of an engine that is known by an address must be of that address', () => {
  assert.ok(isGood(['tls://10.0.0.1:4222'], 'localhost', 'IP Address:10.0.0.1'))
  assert.ok(isGood(['tls://10.0.0.1', 'tls://[2001:db8::1]'], 'localhost', 'IP Address:2001:DB8:0:0:0:0:0:1'))
  assert.ok(!isGood(['tls://10.0.0.1:4222'], 'localhost', 'IP Address:10.0.0.2'))
  assert.ok(!isGood(['tls://10.0.0.1:4222'], 'localhost', 'DNS:localhost'))
})

test('nobody can foresee where the library itself is answered, nor does an engine send it to another', () => {
  const [one, other] = [0, 1].map(() => connectionOptions({ servers: ['nats://a'], inbox: '_INBOX.db1' }))
  assert.match(one!.inboxPrefix!, /^_INBOX\.db1\.[0-9a-f]{32}$/)
  assert.notEqual(one!.inboxPrefix, other!.inboxPrefix)
  assert.equal(one!.ignoreClusterUpdates, true)
})

test('that of an engine that is known by a name must be of that name', () => {
  assert.ok(isGood(['tls://nats.example.com'], 'nats.example.com', 'DNS:nats.example.com'))
  assert.ok(!isGood(['tls://nats.example.com'], 'nats.example.com', 'DNS:other.example.com'))
  assert.ok(isGood(['tls://localhost', 'tls://10.0.0.1'], 'localhost', 'DNS:localhost'))
  assert.ok(!isGood(['tls://localhost', 'tls://10.0.0.1'], 'localhost', 'IP Address:10.0.0.1'))
  assert.ok(!isGood(['tls://nats.example.com'], 'localhost', 'IP Address:10.0.0.1'))
})
