import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { suite, test } from 'node:test'
import { isInstalled } from '../support/is-installed.ts'
import { findByText } from '../support/proc.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { waitFor } from '../support/wait-for.ts'
import { PARTS } from './without/parts.ts'

const MAIN = join(import.meta.dirname, 'main.ts')

/**
 * Whom each table of a row measures at least; others depend on what is installed. All rows but the one that needs a
 * browser, which takes too long for here.
 */
const ROWS: Record<number, string[][]> = {
  1: [
    ['agent', 'naive Node', 'limit'],
    ['agent', 'naive Node', 'limit'],
  ],
  2: [
    [
      'agent',
      'agent, ed25519',
      'agent, 100 jobs',
      'least look-up',
      'bare adapter',
      'bare adapter, its Response',
      'bare node:http',
    ],
  ],
  3: [
    ['agent', 'agent, answer without output', 'plain pipe'],
    ['agent', 'bare node:http'],
  ],
  4: [['agent']],
  5: [
    ['agent, 0 jobs', 'agent, 10 jobs', 'agent, 100 jobs'],
    ['agent'],
    ['agent, 0 sleeping', 'agent, 10 sleeping'],
  ],
  6: [['agent, first start', 'agent, again', 'bare node -e']],
  7: [['neither', 'nice']],
  9: isInstalled('nats-server')
    ? [
        ['agent, by HTTP', 'agent, over NATS', 'agent, from the queue'],
        ['1 agent', '2 agents'],
      ]
    : [[], []],
  10: [['agent', ...Object.keys(PARTS).map(part => `without ${part}`)]],
}

suite('the benchmark', { skip: process.platform !== 'linux' && 'it needs Linux' }, () => {
  const directory = scratchDirectory()

  const startBench = (args: string[], signal: AbortSignal): ChildProcess =>
    spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGTERM',
    })

  const assertNothingLeft = async (): Promise<void> => {
    await waitFor('every process of the benchmark is gone', () => findByText(directory).length === 0)
    assert.deepEqual(readdirSync(directory), [])
  }

  for (const [row, tables] of Object.entries(ROWS)) {
    test(`measures all of row ${row} and leaves nothing behind`, async t => {
      const args = [`--row=${row}`, '--rounds=1', '--seconds=0.1', '--history=100', '--json']
      const child = startBench(args, t.signal)
      const [output, progress, [code]] = await Promise.all([
        text(child.stdout!),
        text(child.stderr!),
        once(child, 'close'),
      ])
      assert.equal(code, 0, output + progress)
      const { rows } = JSON.parse(output) as { rows: RowJson[] }
      assert.equal(rows.length, tables.length)
      for (const [at, { title, contestants }] of rows.entries()) {
        const names = contestants.map(({ name }) => name)
        for (const name of tables[at]!) assert.ok(names.includes(name), `${title}: ${name}`)
        for (const { name, rounds } of contestants) {
          assert.ok(rounds.length > 0, `${title}: ${name}`)
          for (const [key, value] of rounds.flatMap(figures => Object.entries(figures))) {
            assert.ok(Number.isFinite(value) && value > 0, `${title}: ${name}: ${key} ${value}`)
          }
        }
      }
      await assertNothingLeft()
    })
  }

  test('leaves nothing behind when it is interrupted', async t => {
    const child = startBench(['--row=1', '--seconds=60'], t.signal)
    child.stdout!.resume()
    let progress = ''
    child.stderr!.on('data', chunk => {
      progress += chunk
    })
    await waitFor('the first contestant is under load', () => progress.includes('warmed up'))
    child.kill('SIGINT')
    const [code] = await once(child, 'close')
    assert.equal(code, 130)
    await assertNothingLeft()
  })

  for (const args of [['--rounds=0'], ['--seconds=x'], ['--row=11'], ['--also=/nowhere'], ['--nonsense']]) {
    test(`refuses ${args} in one line`, async t => {
      const child = startBench(args, t.signal)
      const [errors, [code]] = await Promise.all([text(child.stderr!), once(child, 'close')])
      assert.equal(code, 1)
      assert.match(errors, /^bench: .+\n$/)
    })
  }
})

interface RowJson {
  title: string
  contestants: { name: string; rounds: Record<string, number>[] }[]
}
