import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { changeFile } from '../../../runtime/cli/change-file.ts'
import { Failure } from '../../../runtime/cli/failure.ts'
import { scratchDirectory } from '../../support/scratch.ts'

test('a link to where nothing is yet stays a link, and what it leads to is made', async () => {
  const directory = scratchDirectory()
  mkdirSync(join(directory, 'kept'))
  symlinkSync('kept/second', join(directory, 'first'))
  symlinkSync('third', join(directory, 'kept/second'))
  await changeFile(join(directory, 'first'), async text => `was ${text}`)
  await changeFile(join(directory, 'first'), async text => `${text}, is`)
  assert.ok(lstatSync(join(directory, 'first')).isSymbolicLink())
  assert.ok(lstatSync(join(directory, 'kept/second')).isSymbolicLink())
  assert.equal(readFileSync(join(directory, 'kept/third'), 'utf8'), 'was undefined, is')
  assert.deepEqual(readdirSync(join(directory, 'kept')), ['second', 'third'])
})

const NOBODY = 65_534

test('a file whose owner would not stay is left as it is, and that is said', {
  skip: process.getuid?.() !== 0 && 'only root can make a file of somebody else',
}, async t => {
  const directory = scratchDirectory()
  const file = join(directory, 'of-root')
  writeFileSync(file, 'before', { mode: 0o644 })
  chownSync(directory, NOBODY, NOBODY)
  chmodSync(directory, 0o755)
  process.seteuid!(NOBODY)
  t.after(() => process.seteuid!(0))
  await assert.rejects(
    changeFile(file, async () => 'after'),
    (error: Error) =>
      error instanceof Failure && /of-root: its owner or group is another one/.test(error.message),
  )
  assert.deepEqual([readFileSync(file, 'utf8'), statSync(file).uid], ['before', 0])
  assert.deepEqual(readdirSync(directory), ['of-root'])
})

/** One that has ended. */
const GONE = 2 ** 22 + 1

test('a lock whose newdt has ended is broken, by one of those that wait for it', async () => {
  const file = join(scratchDirectory(), 'file')
  writeFileSync(`${file}.lock`, `${GONE} ${hostname()}`)
  const names = Array.from({ length: 12 }, (_, index) => String(index))
  await Promise.all(names.map(name => changeFile(file, async (text = '') => `${text}${name} `)))
  assert.deepEqual(readFileSync(file, 'utf8').trim().split(' ').sort(), names.sort())
  assert.deepEqual(readdirSync(join(file, '..')), ['file'])
})

test('a lock of who lives, is on another host, or is not known, stays', async () => {
  const stays = async (owner: string) => {
    const file = join(scratchDirectory(), 'file')
    writeFileSync(`${file}.lock`, owner)
    await assert.rejects(
      changeFile(file, async () => ''),
      /another newdt is changing the file/,
    )
    assert.equal(readFileSync(`${file}.lock`, 'utf8'), owner)
  }
  await Promise.all([`${process.pid} ${hostname()}`, `${GONE} another-host`, ''].map(stays))
})
