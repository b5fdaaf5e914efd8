import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobEvent } from '../../../../lib/client/client.ts'
import { outputText } from '../../../../runtime/console/job/output-text.ts'
import { createOutput } from '../../../../runtime/console/output/output.ts'

let seq = 0
const chunk = (type: 'stdout' | 'stderr', text: string): JobEvent => ({
  type,
  seq: ++seq,
  time: '2026-01-31T12:00:00Z',
  position: 0,
  bytes: new TextEncoder().encode(text),
})

const gapText = (bytes: number | null) => `${bytes} missing`

test('the text of an output has whole lines, no escapes, and names what is missing', async () => {
  const output = createOutput()
  const long = 'x'.repeat(10_000)
  const events: JobEvent[] = [
    chunk('stdout', '\x1b[31mred\x1b[0m\none '),
    chunk('stderr', 'warning\n'),
    chunk('stdout', `line\n${long}`),
    chunk('stderr', 'between\n'),
    chunk('stdout', `${long}\n\n`),
    { type: 'dropped', bytes: 7 },
    { type: 'dropped', bytes: null },
    chunk('stdout', 'end without a line end'),
  ]
  for (const event of events) await output.feed(event)
  assert.equal(
    outputText(output, 'both', gapText),
    `red\none line\nwarning\n${long}${long}\nbetween\n\n[7 missing]\n[null missing]\nend without a line end\n`,
  )
  assert.equal(outputText(output, 'stderr', gapText), 'warning\nbetween\n[7 missing]\n[null missing]\n')
})
