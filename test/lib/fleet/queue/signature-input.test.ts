import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../../lib/base/errors.ts'
import { expiryOf } from '../../../../lib/fleet/queue/message.ts'
import { LONGEST_WAIT_MS } from '../../../../lib/fleet/queue/queued-job.ts'
import { parseSignatureInput } from '../../../../lib/fleet/queue/signature-input.ts'
import { parseMessageSignature } from '../../../../lib/security/message-signature.ts'

const NOW = 1_800_000_000_000
const INPUT =
  'newdt=("@method" "@authority" "@path" "@query");created=1800000000;expires=1800003600;nonce="n";keyid="k";tag="newdt-auto"'
const expiry = (field: string): number => expiryOf({ headers: [['signature-input', field]] }, NOW)

test('what a signer says is read', () => {
  const input = parseSignatureInput(INPUT)
  assert.deepEqual(input?.components, ['@method', '@authority', '@path', '@query'])
  assert.equal(input.text, INPUT.slice('newdt='.length))
  assert.deepEqual([...input.parameters.keys()], ['created', 'expires', 'nonce', 'keyid', 'tag'])
  assert.equal(expiry(INPUT), 1_800_003_600_000)
})

test('a time of expiry that others have added is not read', () => {
  for (const field of [
    `x=("@method");expires=1800000002, ${INPUT}`,
    `${INPUT}, x=("@method");expires=1800000002`,
    `${INPUT};expires=1800000002`,
    INPUT.replace('"k"', '"k;expires=1800000002"').replace(';expires=1800003600', ''),
  ])
    assert.equal(expiry(field), NOW + LONGEST_WAIT_MS, field)
})

test('whatever a field is, it says nothing else than who checks the signature reads', () => {
  const piece = fc.constantFrom(
    ...INPUT.split(/(?=[;(")])|(?<=[=)"])/),
    INPUT,
    ';expires=1800000002',
    'x=()',
    ', ',
    ' ',
    '"',
    '\\',
  )
  const field = fc.oneof(
    fc.array(piece, { maxLength: 20 }).map(parts => parts.join('')),
    fc.tuple(piece, piece).map(([first, last]) => first + INPUT + last),
    fc.string(),
  )
  const headers = new Map([['signature', `newdt=:${'A'.repeat(44)}:`]])
  fc.assert(
    fc.property(field, text => {
      const input = parseSignatureInput(text)
      if (!input) return
      headers.set('signature-input', text)
      const message = {
        method: 'POST',
        authority: 'a',
        path: '/',
        query: '?',
        header: (name: string) => headers.get(name),
      }
      try {
        const signature = parseMessageSignature(message)
        assert.equal(signature.expires, input.parameters.get('expires'))
        assert.ok(signature.isAlone)
        assert.ok(signature.base.endsWith(`"@signature-params": ${input.text}`))
      } catch (error) {
        if (!(error instanceof AgentError)) throw error
      }
    }),
    { numRuns: 3000 },
  )
})
