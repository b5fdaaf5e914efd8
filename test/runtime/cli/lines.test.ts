import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { prefixLines } from '../../../runtime/cli/prefix-lines.ts'
import { stampLines } from '../../../runtime/cli/stamp-lines.ts'

const collect = () => {
  const writes: string[] = []
  return {
    writes,
    write: async (bytes: Uint8Array | string) =>
      void writes.push(Buffer.from(bytes as Uint8Array).toString('latin1')),
  }
}
const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'ü'), maxLength: 9 }), { maxLength: 12 })

test('lines come whole and each behind its prefix, however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, async texts => {
      const sink = collect()
      {
        const lines = prefixLines(sink, 'host | ')
        for (const text of texts) {
          // The agent's buffers may be used again: what is kept is a copy.
          const bytes = Buffer.from(text)
          await lines.write(bytes)
          bytes.fill(0x78)
        }
        await lines.flush()
      }
      const whole = Buffer.from(texts.join('')).toString('latin1')
      const expected = whole.split(/(?<=\n)/).filter(line => line !== '')
      assert.equal(
        sink.writes.join(''),
        expected.map(line => `host | ${line.replace(/\n?$/, '\n')}`).join(''),
      )
      for (const write of sink.writes) assert.match(write, /\n$/)
    }),
  )
})

test('a line without end is not kept for ever', async () => {
  const sink = collect()
  const lines = prefixLines(sink, '> ')
  for (let count = 0; count < 5; count++) await lines.write(Buffer.alloc(40_000, 'x'))
  assert.ok(sink.writes.length >= 2)
})

test('each line has the time at which its first bytes came', async () => {
  const sink = collect()
  const lines = stampLines(sink)
  await lines.write(Buffer.from('a'), 'T1')
  await lines.write(Buffer.from('b\nc\n\n'), 'T2')
  await lines.write(Buffer.from('d'), 'T3')
  assert.equal(sink.writes.join(''), 'T1 ab\nT2 c\nT2 \nT3 d')
})
