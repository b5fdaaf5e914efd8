import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openScriptDirectory } from '../../../lib/jobs/script-directory.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const directory = scratchDirectory()

test('it is made for the account alone, and emptied of what an earlier agent has left', async () => {
  const path = join(directory, 'scripts')
  await openScriptDirectory(path)
  assert.equal(statSync(path).mode & 0o777, 0o700)
  mkdirSync(join(path, 'below'), { mode: 0o755 })
  writeFileSync(join(path, 'below', 'newdt-auto-1-x.sh'), 'true')
  await openScriptDirectory(path)
  assert.deepEqual(readdirSync(path), [])
})

test('a link in its place is replaced, and what it leads to stays', async () => {
  const target = join(directory, 'target')
  mkdirSync(target)
  writeFileSync(join(target, 'precious'), '')
  symlinkSync(target, join(directory, 'link'))
  await openScriptDirectory(join(directory, 'link'))
  assert.deepEqual(readdirSync(target), ['precious'])
  assert.deepEqual(readdirSync(join(directory, 'link')), [])
})
