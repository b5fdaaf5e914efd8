import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openScriptDirectory } from '../../../lib/jobs/script-directory.ts'
import { newScriptPath, writeScript } from '../../../lib/jobs/script-file.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

test('it is made for the account alone, and emptied of the scripts that an earlier agent has left', async () => {
  const path = join(scratchDirectory(), 'scripts')
  await openScriptDirectory(path)
  assert.equal(statSync(path).mode & 0o777, 0o700)
  for (const name of ['x.sh', '脚本.py']) await writeScript(newScriptPath(path, name), 'true')
  await openScriptDirectory(path)
  assert.deepEqual(readdirSync(path), [])
})

test('whatever else is in it stays', async () => {
  const path = join(scratchDirectory(), 'scripts')
  mkdirSync(path)
  const files = ['mine.sh', 'newdt-auto-1-x.sh', 'newdt-auto-12345678901-x.sh', 'newdt-auto-1234567890-']
  for (const name of files) writeFileSync(join(path, name), 'true')
  mkdirSync(join(path, 'newdt-auto-1234567890-directory'))
  symlinkSync(join(path, 'mine.sh'), join(path, 'newdt-auto-1234567890-link'))
  const before = readdirSync(path)
  await openScriptDirectory(path)
  assert.deepEqual(readdirSync(path), before)
})

test('scripts of jobs that ran as other users are removed where nobody else may write', {
  skip: !isRoot && 'needs root',
}, async () => {
  const path = join(scratchDirectory(), 'scripts')
  await openScriptDirectory(path)
  chmodSync(path, 0o711)
  await writeScript(newScriptPath(path, 'x.sh'), 'true', { uid: NOBODY, gid: NOBODY })
  await openScriptDirectory(path)
  assert.deepEqual(readdirSync(path), [])
})

test('a directory of another user is refused', { skip: !isRoot && 'needs root' }, async () => {
  const path = join(scratchDirectory(), 'scripts')
  mkdirSync(path)
  chownSync(path, NOBODY, NOBODY)
  await assert.rejects(openScriptDirectory(path), { message: `it belongs to user ${NOBODY}` })
})

test('what is no directory is refused and stays as it is', async () => {
  const directory = scratchDirectory()
  const target = join(directory, 'target')
  mkdirSync(target)
  await writeScript(newScriptPath(target, 'precious'), '')
  symlinkSync(target, join(directory, 'link'))
  writeFileSync(join(directory, 'file'), '')
  for (const name of ['link', 'file'])
    await assert.rejects(openScriptDirectory(join(directory, name)), /something else is in its place/)
  assert.equal(readdirSync(target).length, 1)
})

test('one that others may write is refused and stays as it is', async () => {
  const path = join(scratchDirectory(), 'scripts')
  mkdirSync(path)
  await writeScript(newScriptPath(path, 'x.sh'), 'true')
  for (const mode of [0o775, 0o757, 0o1777]) {
    chmodSync(path, mode)
    await assert.rejects(openScriptDirectory(path), { message: `others may write it; chmod 700 ${path}` })
    assert.deepEqual([statSync(path).mode & 0o7777, readdirSync(path).length], [mode, 1])
  }
  chmodSync(path, 0o755)
  await openScriptDirectory(path)
  assert.deepEqual([statSync(path).mode & 0o7777, readdirSync(path)], [0o755, []])
})
