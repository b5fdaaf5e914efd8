import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AuditEntry,
  EMPTY_HEAD,
  LONGEST_LINE_BYTES,
  nextLine,
} from '../../../lib/security/audit-line.ts'

const lineOf = (entry: AuditEntry): string => nextLine(EMPTY_HEAD, new Date().toISOString(), entry).line
const NAMES = ['outcome', 'caller', 'client', 'job', 'sha256', 'command', 'params', 'cwd', 'env', 'detail']

test('a line has 64 KB at most, whatever the texts in it are made of', () => {
  for (const letter of ['x', '\x01', '"', 'é', '任', '😀', '\ud800']) {
    const text = letter.repeat(200_000)
    const all = Object.fromEntries(NAMES.map(name => [name, text])) as unknown as AuditEntry
    const line = lineOf({ ...all, action: text, bodySha256: text, stdinSha256: text, scriptType: text })
    assert.ok(Buffer.byteLength(line) < LONGEST_LINE_BYTES, `${JSON.stringify(letter)}: ${line.length}`)
    assert.ok(line.length > 2000)
  }
})

test('a text that is too long is cut to a beginning of it, between two characters, and says so', () => {
  const letters = fc.constantFrom('x', '\n', '\x01', '"', '\\', 'é', '任', '😀')
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 600 }), list => {
      const text = list.join('')
      const { caller } = JSON.parse(lineOf({ action: 'a', outcome: 'b', caller: text })) as { caller: string }
      const bytes = Buffer.byteLength(JSON.stringify(caller)) - 2
      assert.ok(bytes <= 256)
      if (caller === text) return
      assert.ok(caller.endsWith('…') && text.startsWith(caller.slice(0, -1)))
      assert.ok(caller.isWellFormed())
      assert.ok(bytes > 256 - 16, 'no more than needed')
      assert.ok(Buffer.byteLength(JSON.stringify(text)) - 2 > 256, 'not without need')
    }),
  )
})
