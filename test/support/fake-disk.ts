import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import type { TestContext } from 'node:test'

/** Until the test is over each file system is one as virtiofs shows it: of small blocks that are best read by many. */
export const fakeDisk = (t: TestContext, { freeBytes }: { freeBytes: number }): void => {
  const blocks = { frsize: 4096, bsize: 1 << 20, blocks: 1 << 20, bavail: freeBytes / 4096 }
  const mocked = t.mock.method(fs, 'statfs', async () => blocks)
  syncBuiltinESMExports()
  t.after(() => {
    mocked.mock.restore()
    syncBuiltinESMExports()
  })
}
