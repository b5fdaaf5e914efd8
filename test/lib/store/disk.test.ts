import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import { test } from 'node:test'
import { diskOf } from '../../../lib/store/disk.ts'
import { fakeDisk } from '../../support/fake-disk.ts'
import { scratchDirectory } from '../../support/scratch.ts'

test('a disk has the size that its file system tells, and of the room what this account may use', async () => {
  const directory = scratchDirectory()
  const { totalBytes, freeBytes } = await diskOf(directory)
  const { blocks, frsize } = statfsSync(directory)
  assert.equal(totalBytes, blocks * frsize)
  assert.ok(freeBytes > 0 && freeBytes <= totalBytes)
})

test('blocks are counted as the file system counts them, whatever it likes to be read by', async t => {
  fakeDisk(t, { freeBytes: 8192 })
  assert.deepEqual(await diskOf('/'), { freeBytes: 8192, totalBytes: 4 * 1024 ** 3 })
})
