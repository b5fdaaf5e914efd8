import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** A fresh directory for the tests of the suite or file that calls this; gone when they have run. */
export const scratchDirectory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'test-newdt-'))
  after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
