import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAudit } from '../../../lib/security/audit.ts'
import { verifyAudit } from '../../../lib/security/audit-verify.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const scratch = scratchDirectory()

const newDirectory = (files: Record<string, string> = {}): string => {
  const directory = mkdtempSync(join(scratch, 'audit-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

/** Has an agent add so many lines; returns what it has logged. */
const add = async (directory: string, count: number, keepFiles = 16): Promise<string[]> => {
  const { log, lines } = recordingLog()
  const audit = await openAudit({ directory, log, maxBytes: 1000, keepFiles })
  for (let n = 0; n < count; n++) await audit.recordOrFail({ action: 'submit', outcome: 'accepted' })
  await audit.close()
  return lines.map(({ message }) => message)
}

const fullFiles = (directory: string): string[] =>
  readdirSync(directory)
    .filter(name => name.startsWith('audit-'))
    .sort()

const faultOf = async (directory: string): Promise<string | undefined> =>
  (await verifyAudit(directory)).fault?.message

test('when the oldest files were removed by somebody it is found, also after an agent has gone on', async () => {
  for (const [keepFiles, removed] of [
    [16, 1],
    [16, 2],
    [16, 'all'],
    [3, 1],
    [3, 'all'],
  ] as const) {
    const directory = newDirectory()
    await add(directory, 60, keepFiles)
    assert.equal(await faultOf(directory), undefined)
    const files = fullFiles(directory)
    assert.ok(files.length >= 3)
    for (const name of files.slice(0, removed === 'all' ? files.length : removed))
      rmSync(join(directory, name))
    assert.match((await faultOf(directory))!, /^lines before \d+ were removed$/)
    assert.deepEqual(await add(directory, 1, keepFiles), ['THE AUDIT TRAIL IS NOT AS THE AGENT HAS LEFT IT'])
    assert.match((await faultOf(directory))!, /^lines before \d+ were removed$/)
    await add(directory, 10)
    assert.match((await faultOf(directory))!, /^lines before \d+ were removed$/)
  }
})

test('a head that is older than all lines that are kept says nothing of them', async () => {
  const directory = newDirectory()
  await add(directory, 3)
  const head = readFileSync(join(directory, 'audit.head'))
  await add(directory, 60, 3)
  writeFileSync(join(directory, 'audit.head'), head)
  const { first, fault } = await verifyAudit(directory)
  assert.ok(first > 3)
  assert.equal(fault, undefined)
  assert.deepEqual(await add(directory, 1, 3), [])
})

const OLD_TRAILS: Record<string, Record<string, string>> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/audit-trails-0.1.0.json'), 'utf8'),
)
for (const [name, files] of Object.entries(OLD_TRAILS)) {
  test(`a trail of version 0.1.0 (${name}) is sound, and stays so when it is gone on with`, async () => {
    const directory = newDirectory(files)
    assert.equal(await faultOf(directory), undefined)
    for (let life = 0; life < 3; life++) {
      assert.deepEqual(await add(directory, 10), [])
      assert.equal(await faultOf(directory), undefined)
    }
  })

  test(`a trail of version 0.1.0 (${name}) without its oldest file is not`, async () => {
    const directory = newDirectory(files)
    rmSync(join(directory, fullFiles(directory)[0]!))
    assert.match((await faultOf(directory))!, /^lines before \d+ were removed$/)
    await add(directory, 10)
    assert.match((await faultOf(directory))!, /were removed$|line \d+ was the oldest/)
  })
}

test('a line of more than a megabyte is none of the trail: nobody has to wait for it to be read', async () => {
  const directory = newDirectory()
  await add(directory, 1)
  const path = join(directory, 'audit.jsonl')
  const prev = hash('sha256', readFileSync(path, 'utf8').trimEnd())
  const line = {
    seq: 2,
    time: 'now',
    action: 'submit',
    outcome: 'accepted',
    detail: 'x'.repeat(1 << 20),
    prev,
  }
  appendFileSync(path, `${JSON.stringify(line)}\n`)
  assert.equal(await faultOf(directory), 'this is no line of the trail')
  await add(directory, 1)
  assert.equal(await faultOf(directory), 'this is no line of the trail')
  // The same without an end.
  writeFileSync(path, 'x'.repeat(3 << 20))
  assert.equal(await faultOf(directory), 'this is no line of the trail')
})
