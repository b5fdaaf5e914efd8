import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linuxProcesses } from '../../../support/linux-processes.ts'
import { runBash } from '../../../support/run-process.ts'

const PATH = process.env.PATH ?? '/usr/bin:/bin'

/** All that a process finds in its environment, as the kernel shows it. */
const environmentOf = async (env: Record<string, string>, ownEnv?: Record<string, string>) => {
  const { stdout } = await runBash(linuxProcesses(), 'cat /proc/$$/environ; :', { env, ownEnv })
  return stdout.split('\0').slice(0, -1).sort()
}

test('a process gets what is common and what is its own, and its own takes the place of what is common', async () => {
  const env = { PATH, A: 'a', EMPTY: '', 'ODD-NAME': '= \n你' }
  const common = [`PATH=${PATH}`, 'A=a', 'EMPTY=', 'ODD-NAME== \n你']
  assert.deepEqual(await environmentOf(env), common.toSorted())
  assert.deepEqual(await environmentOf(env, { B: 'b', C: '' }), [...common, 'B=b', 'C='].sort())
  const replaced = [`PATH=${PATH}`, 'A=b', 'EMPTY=', 'ODD-NAME== \n你']
  assert.deepEqual(await environmentOf(env, { A: 'b' }), replaced.sort())
  assert.deepEqual(await environmentOf(env), common.toSorted())
  assert.deepEqual(await environmentOf({ PATH }, { A: 'x' }), ['A=x', `PATH=${PATH}`])
})

test('a large environment arrives whole, however often memory is collected meanwhile', async () => {
  const large = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`V${i}`, `${i}`.repeat(100)]))
  const expected = [
    `PATH=${PATH}`,
    ...Object.entries(large).map(([name, value]) => `${name}=${value}`),
  ].sort()
  const env = { PATH }
  const rounds = await Promise.all(Array.from({ length: 30 }, () => environmentOf(env, large)))
  for (const found of rounds) assert.deepEqual(found, expected)
})
