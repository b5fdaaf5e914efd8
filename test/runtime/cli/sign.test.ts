import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runVerb } from '../../support/run-verb.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const digestOf = async (data: string): Promise<string | undefined> => {
  const { stdout } = await runVerb(['sign', '--config', 'POST', '/x', '-d', data], { NEWDT_SECRET: 's' })
  return /Content-Digest: sha-256=:(.*?):/.exec(stdout)?.[1]
}
const sha256 = (body: string | Uint8Array) => createHash('sha256').update(body).digest('base64')

test('the body that is signed is the text, or with @ what is in the file, byte for byte', async () => {
  const body = Uint8Array.from({ length: 300 }, (_, index) => index)
  const file = join(scratchDirectory(), 'body')
  writeFileSync(file, body)
  assert.equal(await digestOf('{"cmd": "ü"}'), sha256('{"cmd": "ü"}'))
  assert.equal(await digestOf(`@${file}`), sha256(body))
  await assert.rejects(digestOf('@/nonexistent'), { code: 'ENOENT' })
})
