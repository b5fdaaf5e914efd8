import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientError } from '../../../../lib/client/client.ts'
import { signInFault } from '../../../../runtime/console/sign-in/sign-in-fault.ts'

const HERE = new URL('http://db1:8080/')
const BELOW = new URL('https://proxy.example.com/agents/db1/')
const CONTRACT = { secret: 's', signature: 'contract' } as const

const faultOf = (word: string, credentials?: Parameters<typeof signInFault>[1], url = HERE) =>
  signInFault(new ClientError(word, 'in the words of the agent'), credentials, url)

test('each fault says what is missing, and what the agent has said', () => {
  for (const [fault, text] of [
    [faultOf('signature-wrong', CONTRACT), /^No key of this agent has this secret/],
    [faultOf('signature-wrong', { secret: 's', keyId: 'alice' }), /^The key “alice”/],
    [faultOf('token-wrong', { token: 't' }), /^No key of this agent has this token/],
    [faultOf('signature-missing'), /^The browser has sent no certificate/],
    [faultOf('forbidden', CONTRACT), /the right “read”/],
    [faultOf('credential-too-weak', CONTRACT, BELOW), /^A token is needed here/],
  ] as const) {
    assert.match(fault.text, text)
    assert.equal(fault.detail, 'in the words of the agent')
  }
})

test('what the agent says is enough where nothing more is known', () => {
  const plain = { text: 'in the words of the agent' }
  assert.deepEqual(faultOf('unreachable', CONTRACT), plain)
  assert.deepEqual(faultOf('credential-too-weak', { token: 't' }, BELOW), plain)
  assert.deepEqual(faultOf('credential-too-weak', CONTRACT), plain)
})
