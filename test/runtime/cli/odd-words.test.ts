import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientError, type Job } from '../../../lib/client/client.ts'
import { failureLine } from '../../../runtime/cli/failure.ts'
import { stampLines } from '../../../runtime/cli/stamp-lines.ts'
import { endLine } from '../../../runtime/cli/watch.ts'

const WORDS = ['constructor', 'toString', 'valueOf', '__proto__', 'hasOwnProperty']

test('a word of an agent that every object knows is a word like any other', () => {
  for (const word of WORDS) {
    assert.equal(failureLine(new ClientError(word, 'no')), 'no')
    const job = { id: '1', state: 'failed', reason: word, error: '' } as unknown as Job
    assert.equal(endLine(job), `job 1 ${word}`)
  }
})

test('the time before a line does nothing to a terminal, whatever it is', async () => {
  let written = ''
  const sink = {
    async write(bytes: Uint8Array | string) {
      written += Buffer.from(bytes as Uint8Array).toString()
    },
  }
  await stampLines(sink).write(Buffer.from('x\n'), '\u001b[2J\u009b')
  assert.equal(written, '\\e[2J\\x9b x\n')
})
