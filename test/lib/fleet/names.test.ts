import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Address,
  addressOf,
  authorityOf,
  eventSubjectOf,
  isHostName,
  parseLabel,
  queueAuthorityOf,
  queueSubjectOf,
  subjectOf,
} from '../../../lib/fleet/names.ts'

const LABEL = { name: 'role', value: 'db' }

describe('the subjects and authorities of a fleet', () => {
  test('name whom a message is for', () => {
    const all: [Address, string, string][] = [
      [
        { to: 'host', host: 'db1.example.com' },
        'newdt.host.db1%2Eexample%2Ecom',
        'db1.example.com.host.newdt',
      ],
      [{ to: 'label', label: LABEL }, 'newdt.label.role.db', 'db.role.label.newdt'],
      [{ to: 'any', label: LABEL }, 'newdt.any.role.db', 'db.role.any.newdt'],
      [{ to: 'all' }, 'newdt.all', 'all.newdt'],
    ]
    for (const [address, subject, authority] of all) {
      assert.deepEqual([subjectOf(address), authorityOf(address)], [subject, authority])
      assert.equal(new URL(`http://${authority}/`).host, authority)
      assert.deepEqual(addressOf(authority), address)
    }
    assert.equal(queueSubjectOf(LABEL), 'newdt.queue.role.db')
    assert.equal(queueSubjectOf(LABEL, 'high'), 'newdt.queue.role.db.high')
    assert.equal(queueAuthorityOf(LABEL), 'db.role.queue.newdt')
    assert.equal(eventSubjectOf('db1.example', 'ended'), 'newdt.event.db1%2Eexample.ended')
  })

  test('take no name that means something in a subject or a URL', () => {
    for (const name of ['', 'DB1', 'db 1', 'a*', 'a>', '.a', 'a.', '-a', 'a/b', 'a:1', 'x'.repeat(64), '库'])
      assert.equal(isHostName(name), false, name)
    for (const name of ['a', 'db-1.example.com', '1', 'x'.repeat(63)]) assert.equal(isHostName(name), true)
    for (const text of ['role', 'role=', '=db', 'ro.le=db', 'Role=db', 'role=d b', 'role=db=x', 'role=*'])
      assert.equal(parseLabel(text), undefined, text)
    assert.deepEqual(parseLabel('role=pg-14.2_x'), { name: 'role', value: 'pg-14.2_x' })
  })

  test('are none where they name nobody', () => {
    for (const authority of [
      '',
      'db1',
      'newdt',
      '.host.newdt',
      'DB.host.newdt',
      'db.label.newdt',
      'a.b.queue.newdt',
    ])
      assert.equal(addressOf(authority), undefined, authority)
    assert.deepEqual(addressOf('1.2.ver.any.newdt'), { to: 'any', label: { name: 'ver', value: '1.2' } })
  })

  test('tell any two labels apart', () => {
    const text = fc.stringMatching(/^[a-z0-9_.-]{1,8}=[a-z0-9_.-]{1,8}$/)
    fc.assert(
      fc.property(text, text, (one, other) => {
        const [a, b] = [parseLabel(one), parseLabel(other)]
        if (!a || !b || one === other) return
        assert.notEqual(queueAuthorityOf(a), queueAuthorityOf(b))
        assert.notEqual(queueSubjectOf(a), queueSubjectOf(b))
      }),
    )
  })
})
