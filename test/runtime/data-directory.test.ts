import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { letThrough, prepareDataDirectory } from '../../runtime/data-directory.ts'
import { recordingLog } from '../support/recording-log.ts'
import { scratchDirectory } from '../support/scratch.ts'

const modeOf = (path: string): number => statSync(path).mode & 0o777

test('a data directory is made for the account alone', async () => {
  const path = join(scratchDirectory(), 'a/b')
  const { log, lines } = recordingLog()
  await prepareDataDirectory(path, false, log)
  assert.equal(modeOf(path), 0o700)
  assert.deepEqual(lines, [])
})

test('one that is open to others gives a warning; that others may pass is right where they have to', async () => {
  const path = scratchDirectory()
  const warnings = async (mode: number, isPassable: boolean): Promise<number> => {
    chmodSync(path, mode)
    const { log, lines } = recordingLog()
    await prepareDataDirectory(path, isPassable, log)
    return lines.length
  }
  for (const mode of [0o755, 0o750, 0o702, 0o704, 0o740]) {
    assert.deepEqual([await warnings(mode, false), await warnings(mode, true)], [1, 1], mode.toString(8))
  }
  for (const mode of [0o711, 0o701])
    assert.deepEqual([await warnings(mode, false), await warnings(mode, true)], [1, 0], mode.toString(8))
})

test('others are let through to the scripts, and may list nothing on the way', async () => {
  const data = join(scratchDirectory(), 'data')
  const scripts = join(data, 'scripts')
  mkdirSync(scripts, { recursive: true, mode: 0o700 })
  const { log, lines } = recordingLog()
  await letThrough(data, scripts, log)
  assert.deepEqual([modeOf(data), modeOf(scripts)], [0o711, 0o711])
  const closed = join(data, '..')
  const told = lines.map(({ level, fields }) => [level, fields])
  // mkdtemp makes the directory around it for this account alone.
  assert.ok(told.some(line => JSON.stringify(line) === JSON.stringify(['warn', { directory: closed }])))
  chmodSync(closed, 0o711)
  const again = recordingLog()
  await letThrough(data, scripts, again.log)
  assert.ok(!again.lines.some(({ fields }) => 'directory' in fields && fields.directory === closed))
})
