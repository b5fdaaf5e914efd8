import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createHome, type Home, ROOT, startAgent } from '../support/agent.ts'

/** What npm runs after an installation. */
const { postinstall } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts

const install = (cache: string): number | null =>
  spawnSync('sh', ['-c', postinstall], { cwd: ROOT, env: { ...process.env, NODE_COMPILE_CACHE: cache } })
    .status

describe('an installation', () => {
  let home: Home
  beforeEach(() => {
    home = createHome()
  })
  afterEach(async () => {
    await home.assertClean()
    home.remove()
  })

  test('leaves nothing to be compiled by the first start', async () => {
    const cache = join(home.path, 'compiled')
    assert.equal(install(cache), 0)
    const compiled = readdirSync(cache, { recursive: true }).sort()
    const agent = await startAgent(home, {
      env: { NODE_COMPILE_CACHE: cache },
      command: [join(ROOT, 'runtime/node.sh'), join(ROOT, 'runtime/main.ts')],
    })
    assert.equal((await agent.execute({ cmd: 'echo hello' })).stdout, 'hello\n')
    assert.equal((await agent.end()).code, 0)
    // Node writes what it has compiled when it ends.
    assert.deepEqual(readdirSync(cache, { recursive: true }).sort(), compiled)
    assert.ok(compiled.length > 100, `${compiled.length} files`)
  })

  test('does not fail where nothing can be kept', () => {
    assert.equal(install('/dev/null/compiled'), 0)
  })
})
