import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressRules } from '../../../lib/notify/address-rules.ts'
import { parseAddresses } from '../../../lib/security/address-list.ts'

const rulesWith = (...allowed: string[]) => createAddressRules(parseAddresses(allowed).list)

test('addresses of hosts may be called, also private ones', () => {
  const { mayConnect } = rulesWith()
  for (const address of [
    ...['192.0.2.7', '8.8.8.8', '10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1'],
    ...[
      '2001:db8::1',
      '2001:db8::100:5efe:1.2.3.4',
      '2606:4700::1111',
      'fd12:3456::1',
      '::ffff:192.0.2.7',
      '64:ff9b::808:808',
      '2002:808:808::1',
    ],
  ])
    assert.equal(mayConnect(address), true, address)
})

test('this host, its link, metadata services and groups of hosts may not, however they are written', () => {
  const { mayConnect } = rulesWith()
  for (const address of [
    ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::', '0:0:0:0:0:0:0:1'],
    ...['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
    ...['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
    ...['224.0.0.1', '239.255.255.250', '255.255.255.255', '240.0.0.1', 'ff02::1', 'fec0::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:169.254.169.254', '::127.0.0.1', '::ffff:0:127.0.0.1'],
    ...[
      '64:ff9b::127.0.0.1',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::7f00:1',
      '2002:7f00:1::',
      '2002:a9fe:a9fe::1',
    ],
    ...['fd00:42::42', '64:ff9b:1:a9fe:a9:fe00::', '64:ff9b:1::808:808'],
    ...['2001:db8::5efe:a9fe:a9fe', '2001:db8::200:5efe:127.0.0.1', 'fd12::5efe:8.8.8.8'],
    ...['2001:0:4136:e378:8000:63bf:80ff:fffe'],
    ...['', 'localhost', '127.1', '0x7f.1', '2130706433', '192.0.2', '1:2', ':::', '12345::'],
  ])
    assert.equal(mayConnect(address), false, address)
})

test('what is listed may be called although it is one of those, and nothing beside it', () => {
  const { mayConnect } = rulesWith('127.0.0.1', '169.254.10.0/24', 'fe80::/64')
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '169.254.10.9', 'fe80::1%eth0'])
    assert.equal(mayConnect(address), true, address)
  for (const address of ['127.0.0.2', '::1', '169.254.169.254', 'fe80:0:0:1::1'])
    assert.equal(mayConnect(address), false, address)
})
