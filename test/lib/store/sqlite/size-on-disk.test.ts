import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sizeOnDisk } from '../../../../lib/store/sqlite/size-on-disk.ts'
import { scratchDirectory } from '../../../support/scratch.ts'

test('a database takes what its file takes, and its log if there is one', async () => {
  const path = join(scratchDirectory(), 'store.db')
  await assert.rejects(sizeOnDisk(path), { code: 'ENOENT' })
  writeFileSync(path, 'x'.repeat(100))
  assert.deepEqual(await sizeOnDisk(path), { fileBytes: 100, logBytes: 0 })
  writeFileSync(`${path}-wal`, 'x'.repeat(10))
  assert.deepEqual(await sizeOnDisk(path), { fileBytes: 100, logBytes: 10 })
})
