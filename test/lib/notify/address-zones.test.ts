import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressRules } from '../../../lib/notify/address-rules.ts'
import { parseAddresses } from '../../../lib/security/address-list.ts'

const rulesWith = (...allowed: string[]) => createAddressRules(parseAddresses(allowed).list)

test('the zone of an address neither allows nor forbids it: the range counts that it is in', () => {
  const { mayConnect } = rulesWith('fe80::/10')
  for (const address of ['fe80::1', 'fe80::1%eth0', 'febf::1%2', 'fe80::1%eth0.100'])
    assert.equal(mayConnect(address), true, address)
  for (const address of [
    'fec0::1%eth0',
    '::1%lo',
    'ff02::1%eth0',
    '::ffff:127.0.0.1%lo',
    '64:ff9b::7f00:1%eth0',
    '2002:7f00:1::%eth0',
  ])
    assert.equal(mayConnect(address), false, address)
})

test('an address with a zone may be called where one without may', () => {
  const { mayConnect } = rulesWith()
  for (const address of ['2001:db8::1%eth0', 'fd12:3456::1%eth0'])
    assert.equal(mayConnect(address), true, address)
})
