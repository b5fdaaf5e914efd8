import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createHome, ROOT, startAgent } from '../../support/agent.ts'
import { sideBySide } from '../../support/side-by-side.ts'
import { importsWithout, PARTS, type Part } from './parts.ts'

const test = sideBySide('what is left out', 3)
const options = { skip: process.platform !== 'linux' && 'parts of the agent are there only on Linux' }

for (const part of Object.keys(PARTS) as Part[]) {
  test(
    `an agent without ${part} runs a job, has used all that stands in, and leaves nothing`,
    options,
    async () => {
      const home = createHome()
      const agent = await startAgent(home, {
        command: [process.execPath, ...importsWithout(part), join(ROOT, 'runtime/main.ts')],
      })
      const { state, exitCode, stdout, error } = await agent.execute({ cmd: 'echo hi' })
      assert.deepEqual(
        { state, exitCode, stdout, error },
        { state: 'success', exitCode: 0, stdout: 'hi\n', error: '' },
      )
      const { code, stderr } = await agent.end()
      assert.equal(code, 0, stderr)
      await home.assertClean()
    },
  )
}

test('a part with modules that nothing imports is an error, which names them', options, async () => {
  const child = spawn(process.execPath, [...importsWithout('store'), '--eval', ''], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  assert.equal(code, 1)
  assert.match(errors, /^without store: nothing has imported lib\/store\/sqlite\/jobs\.ts, /)
})

test('each module of each part is another one then', options, async () => {
  for (const part of Object.keys(PARTS) as Part[]) {
    const names = Object.keys(PARTS[part])
    const specifiers = names.map(name => (name.endsWith('.ts') ? `./${name}` : name))
    const program = `for (const name of ${JSON.stringify(specifiers)}) console.log(import.meta.resolve(name))`
    const child = spawn(
      process.execPath,
      [...importsWithout(part), '--input-type=module', '--eval', program],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const lines = (await text(child.stdout)).trim().split('\n')
    assert.equal(lines.length, names.length)
    for (const [at, line] of lines.entries())
      assert.match(line, /\/bench\/without\//, `${part}: ${names[at]}`)
  }
})
