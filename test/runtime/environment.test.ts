import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { jobEnvironment } from '../../runtime/environment.ts'

const ROOT = join(import.meta.dirname, '../..')

const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/),
  fc.constantFrom(
    'PATH',
    'HOME',
    'NODE',
    'COLOR',
    'INIT_CWD',
    'NODE_OPTIONS',
    'MY_AGENT_X',
    'agent_x',
    'AGENT',
  ),
)
const plain = name.filter(one => !/^(AGENT|NEWDT_AUTO)_/.test(one) && one !== 'npm_lifecycle_event')
const anyEnvironment = fc.dictionary(plain, fc.string())

test('a job inherits everything else as it is, when npm did not start the agent', () => {
  fc.assert(
    fc.property(anyEnvironment, environment => {
      assert.deepEqual({ ...jobEnvironment(environment) }, { ...environment })
    }),
  )
})

test("a job never sees the agent's settings, its secret least of all", () => {
  const own = fc
    .tuple(fc.constantFrom('AGENT_', 'NEWDT_AUTO_'), fc.stringMatching(/^[A-Z_]{0,12}$/))
    .map(parts => parts.join(''))
  fc.assert(
    fc.property(
      anyEnvironment,
      fc.dictionary(own, fc.string()),
      fc.boolean(),
      (others, settings, underNpm) => {
        const npm = underNpm ? { npm_lifecycle_event: 'start' } : {}
        const inherited = jobEnvironment({ ...others, ...npm, ...settings, AGENT_SECRET: 'hidden' })
        for (const one of Object.keys(inherited)) assert.doesNotMatch(one, /^(AGENT|NEWDT_AUTO)_/)
      },
    ),
  )
})

test('what npm adds is left out when npm started the agent, and only then', () => {
  const added = {
    npm_config_cache: '/root/.npm',
    npm_execpath: '/usr/bin/npm',
    INIT_CWD: '/srv/agent',
    NODE: '/usr/bin/node',
    COLOR: '1',
  }
  const own = { HOME: '/root', NODE_OPTIONS: '--no-warnings', COLORTERM: 'truecolor', PATH: '/usr/bin' }
  assert.deepEqual(jobEnvironment({ ...own, ...added, npm_lifecycle_event: 'start' }), own)
  assert.deepEqual(jobEnvironment({ ...own, ...added }), { ...own, ...added })
})

test("npm's directories go from the front of PATH, the user's own stay", () => {
  const npm = ['/srv/agent/node_modules/.bin', '/srv/node_modules/.bin', '/node_modules/.bin']
  const gyp = '/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin'
  const own = ['/usr/local/bin', '/usr/bin', '/home/me/node_modules/.bin']
  const environment = { npm_lifecycle_event: 'start', PATH: [...npm, gyp, ...own].join(':') }
  assert.equal(jobEnvironment(environment).PATH, own.join(':'))
  assert.equal(jobEnvironment({ PATH: environment.PATH }).PATH, environment.PATH)
})

test('a PATH without a directory of npm stays as it is', () => {
  for (const PATH of ['', '/usr/bin', '/usr/bin:/bin', '/opt/node_modules/.binary:/usr/bin']) {
    assert.equal(jobEnvironment({ npm_lifecycle_event: 'start', PATH }).PATH, PATH)
  }
})

test("a job does not keep what its Node compiles beside the agent's program, but where the user wants it", () => {
  const own = '/srv/agent/runtime/../node_modules/.cache/newdt-auto'
  for (const npm of [{}, { npm_lifecycle_event: 'start' }]) {
    const { NODE_COMPILE_CACHE: left, A } = jobEnvironment({ ...npm, A: 'a', NODE_COMPILE_CACHE: own })
    assert.deepEqual([left, A], [undefined, 'a'])
    for (const NODE_COMPILE_CACHE of ['', '/var/cache/node', `${own}/`, `${own}-2`, 'newdt-auto']) {
      assert.equal(jobEnvironment({ ...npm, NODE_COMPILE_CACHE }).NODE_COMPILE_CACHE, NODE_COMPILE_CACHE)
    }
    assert.equal(jobEnvironment({ ...npm, MY_CACHE: own }).MY_CACHE, own)
  }
})

test('what node.sh sets as the place of compiled code is what no job sees', () => {
  const { NODE_COMPILE_CACHE: _, ...environment } = process.env
  const print = (env: NodeJS.ProcessEnv): string =>
    execFileSync(join(ROOT, 'runtime/node.sh'), ['-p', 'process.env.NODE_COMPILE_CACHE'], {
      env,
      encoding: 'utf8',
    }).trimEnd()
  const set = print(environment)
  assert.deepEqual(jobEnvironment({ NODE_COMPILE_CACHE: set }), {})
  assert.equal(print({ ...environment, NODE_COMPILE_CACHE: '/var/cache/node' }), '/var/cache/node')
})

test("the agent's own environment is not changed", () => {
  const environment = { AGENT_SECRET: 'x', npm_lifecycle_event: 'start', PATH: '/a/node_modules/.bin:/bin' }
  const before = { ...environment }
  jobEnvironment(environment)
  assert.deepEqual(environment, before)
})
