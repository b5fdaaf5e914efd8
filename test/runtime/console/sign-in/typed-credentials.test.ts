import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialsOf, kindOf } from '../../../../runtime/console/sign-in/typed-credentials.ts'

const MADE = `nda_${'aZ0_-'.repeat(8)}abc`

test('only a whole token, as newdt makes them, is taken for one', () => {
  assert.equal(kindOf(MADE), 'token')
  assert.equal(kindOf(` ${MADE}\n`), 'token')
  for (const text of ['', 'shindata', 'nda_secret', MADE.slice(0, -1), `${MADE}a`, `x${MADE}`])
    assert.equal(kindOf(text), 'secret', text)
})

test('what a header cannot hold is no token, but may be a secret', () => {
  for (const text of ['中文', 'two words', 'a\u0000b', 'a!b']) {
    assert.equal(credentialsOf(text, 'token'), 'no-token')
    assert.deepEqual(credentialsOf(text, 'secret'), { secret: text, signature: 'contract' })
  }
  assert.deepEqual(credentialsOf(' a.b~c+/d-e_== ', 'token'), { token: 'a.b~c+/d-e_==' })
  assert.equal(credentialsOf(' ', 'secret'), 'empty')
})
