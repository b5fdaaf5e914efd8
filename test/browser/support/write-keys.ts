import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** Writes a file of keys for the tests of a file; the path. */
export const writeKeys = (keys: object[]): string => {
  const directory = mkdtempSync(join(tmpdir(), 'test-console-'))
  after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'keys.json')
  writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600 })
  return file
}

/** Who may do everything with the agent's own secret. */
export const DEFAULT_KEY = { id: 'default', rights: ['read', 'run', 'admin'] }
