import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { watchDataDirectory } from '../../../lib/store/data-directory.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { waitFor } from '../../support/wait-for.ts'

/** Watches a file that is held open, as a database is; counts how often it is told that the file is gone. */
const watched = (t: TestContext) => {
  const path = join(scratchDirectory(), 'data/test.db')
  mkdirSync(dirname(path))
  writeFileSync(path, '')
  let told = 0
  const watch = watchDataDirectory({ path, onGone: () => told++, intervalMs: 5 })
  const descriptor = openSync(path, 'r')
  t.after(() => {
    watch.close()
    closeSync(descriptor)
  })
  return { path, watch, told: () => told }
}

const CHANGES: Record<string, (path: string) => void> = {
  'a directory that is deleted': path => rmSync(dirname(path), { recursive: true }),
  'a directory that is moved away': path => renameSync(dirname(path), `${dirname(path)}-old`),
  'a directory that is replaced by a file': path => {
    rmSync(dirname(path), { recursive: true })
    writeFileSync(dirname(path), '')
  },
  'a directory that is replaced by another with such a file': path => {
    rmSync(dirname(path), { recursive: true })
    mkdirSync(dirname(path))
    writeFileSync(path, '')
  },
}

for (const [change, make] of Object.entries(CHANGES)) {
  test(`${change} is noticed and told once`, async t => {
    const { path, watch, told } = watched(t)
    assert.equal(watch.isGone(), false)
    make(path)
    await waitFor('it is noticed', watch.isGone)
    assert.equal(told(), 1)
  })
}

test('a file that is only written stays the same, and a watch that is closed tells nothing', async t => {
  const { path, watch, told } = watched(t)
  const other = watched(t)
  writeFileSync(path, 'more')
  watch.close()
  rmSync(path)
  rmSync(other.path)
  await waitFor('the other watch notices', other.watch.isGone)
  assert.deepEqual([watch.isGone(), told()], [false, 0])
})

test('an error that says nothing about the file is looked at again, and is not taken for its end', async t => {
  const { path, watch, told } = watched(t)
  const other = watched(t)
  const directory = dirname(path)
  renameSync(directory, `${directory}-old`)
  symlinkSync(directory, directory) // ELOOP
  // The other is told of after this one was looked at.
  rmSync(other.path)
  await waitFor('the other watch notices', other.watch.isGone)
  assert.deepEqual([watch.isGone(), told()], [false, 0])
  rmSync(directory)
  await waitFor('that it is not there is noticed', watch.isGone)
})
