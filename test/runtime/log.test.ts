import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/agent.ts'

/** Logs a text each, of so many Chinese characters, at once; what a reader of the log gets. */
const logged = (lengths: number[]): string[] => {
  const program = `
    import { createLogger } from '${ROOT}/runtime/log.ts'
    const { log, flush } = await createLogger('info', false)
    for (const [index, length] of ${JSON.stringify(lengths)}.entries()) log.info({ index, text: '脚'.repeat(length) })
    await flush()`
  const { stdout, stderr } = spawnSync(
    join(ROOT, 'runtime/node.sh'),
    ['--input-type=module', '--eval', program],
    { encoding: 'utf8', maxBuffer: 64 << 20 },
  )
  assert.equal(stderr, '')
  assert.ok(stdout.endsWith('\n'))
  return stdout.slice(0, -1).split('\n')
}

test('every line is written, whole and in order, whatever its length', () => {
  const many = Array.from({ length: 3000 }, (_, index) => index % 200)
  // Around the size of what is written together, in bytes and in characters.
  const long = [
    262_144, 1, 87_000, 87_381, 87_382, 1, 131_072, 262_143, 1, 500_000, 0, 43_000, 43_000, 43_000,
  ]
  const lengths = [...many, ...long, ...many]
  const lines = logged(lengths).map(line => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ index, text }) => [index, text.length]),
    lengths.map((length, index) => [index, length]),
  )
  assert.ok(lines.every(({ text }) => /^脚*$/.test(text)))
})
