import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, readConfig } from '../../runtime/config.ts'

const SECRET = 'a-secret-that-nobody-may-see-7f3a'

const mistakesOf = (environment: NodeJS.ProcessEnv): string[] => {
  try {
    readConfig(environment)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    assert.equal(error.message, error.mistakes.join('\n'))
    return error.mistakes
  }
  return []
}

test('every setting has its default', () => {
  const { dataDirectory, notify, ...config } = readConfig({})
  assert.deepEqual(config, {
    host: '127.0.0.1',
    port: 8080,
    fleet: undefined,
    secret: undefined,
    secretFile: undefined,
    keysFile: undefined,
    isStrict: false,
    authorities: undefined,
    tls: undefined,
    allowed: undefined,
    metricsListen: undefined,
    trustedProxies: undefined,
    auditsCommands: false,
    hasConsole: true,
    signTtlMs: 1_800_000,
    clockSkewMs: 300_000,
    maxRunning: 5,
    bodyLimit: 8_388_608,
    outputLimit: 16_777_216,
    drainTimeoutMs: undefined,
    killGraceMs: 5000,
    runAs: [],
    defaultLimits: {},
    maxLimits: {},
    allJobs: { memory: undefined, cpus: undefined, processes: undefined },
    keep: { ageMs: 604_800_000, jobs: 10_000, bytes: 2_147_483_648 },
    logLevel: 'info',
  })
})

test('a name of the agent may have the port that goes without saying', () => {
  const { authorities } = readConfig({ AGENT_AUTHORITIES: 'DB1:80,[::1]:80,db1:443,db1:8080,db1' })
  assert.deepEqual(authorities, ['db1', '[::1]', 'db1:443', 'db1:8080', 'db1'])
})

test('every setting is read from its variable', () => {
  const { allowed, trustedProxies, notify, ...config } = readConfig({
    AGENT_HOST: '0.0.0.0',
    AGENT_PORT: '0',
    AGENT_SECRET: SECRET,
    AGENT_AUTH: 'strict',
    AGENT_AUTHORITIES: 'DB1.example.com:8080, [::1]:80, db1:443',
    AGENT_TLS_CERT: '/c.pem',
    AGENT_TLS_KEY: '/k.pem',
    AGENT_TLS_CLIENT_CA: '/ca.pem',
    AGENT_ALLOW: '10.0.0.0/8, ::1',
    AGENT_TRUSTED_PROXIES: '192.0.2.1',
    AGENT_METRICS_LISTEN: '[::1]:9464',
    AGENT_AUDIT_COMMANDS: 'true',
    AGENT_CONSOLE: 'off',
    AGENT_SIGN_TTL: '1h',
    AGENT_CLOCK_SKEW: '0s',
    AGENT_MAX_RUNNING: '100',
    AGENT_DATA_DIR: '/srv/agent',
    AGENT_BODY_LIMIT: '1mb',
    AGENT_OUTPUT_LIMIT: '0',
    AGENT_KILL_GRACE: '250ms',
    AGENT_DRAIN_TIMEOUT: '1h',
    AGENT_RUN_AS: 'deploy, app:www-data',
    AGENT_DEFAULT_LIMITS: 'memory=512mb, cpus = 1.5,nice=10',
    AGENT_MAX_LIMITS: 'memory=1gb,processes=200',
    AGENT_JOBS_MEMORY: '2gb',
    AGENT_JOBS_CPUS: '0.5',
    AGENT_JOBS_PROCESSES: '1000',
    AGENT_KEEP: '90d',
    AGENT_KEEP_JOBS: '1',
    AGENT_KEEP_BYTES: '1.5GB',
    AGENT_NAME: 'db1.example.com',
    AGENT_LABELS: 'role=db, env=prod',
    AGENT_NATS_URL: 'nats://me:p%40ss@10.0.0.1:4222, tls://nats.example.com',
    AGENT_NATS_CREDS: '/agent.creds',
    AGENT_NATS_TLS_CA: '/nats-ca.pem',
    AGENT_NATS_TLS_CERT: '/nats.pem',
    AGENT_NATS_TLS_KEY: '/nats.key',
    AGENT_NATS_INBOX: '_INBOX.db1',
    AGENT_QUEUE: 'off',
    AGENT_LOG_LEVEL: 'debug',
    PATH: '/bin',
  })
  assert.deepEqual(config, {
    host: '0.0.0.0',
    port: 0,
    fleet: {
      name: 'db1.example.com',
      labels: [
        { name: 'role', value: 'db' },
        { name: 'env', value: 'prod' },
      ],
      takesQueue: false,
      engine: {
        servers: ['nats://10.0.0.1:4222', 'tls://nats.example.com'],
        user: { name: 'me', password: 'p@ss' },
        credsFile: '/agent.creds',
        nkeyFile: undefined,
        tls: { caFile: '/nats-ca.pem', certFile: '/nats.pem', keyFile: '/nats.key' },
        inbox: '_INBOX.db1',
      },
    },
    secret: SECRET,
    secretFile: undefined,
    keysFile: undefined,
    isStrict: true,
    authorities: ['db1.example.com:8080', '[::1]:80', 'db1'],
    tls: { cert: '/c.pem', key: '/k.pem', clientCa: '/ca.pem' },
    metricsListen: { host: '::1', port: 9464 },
    auditsCommands: true,
    hasConsole: false,
    signTtlMs: 3_600_000,
    clockSkewMs: 0,
    maxRunning: 100,
    dataDirectory: '/srv/agent',
    bodyLimit: 1_048_576,
    outputLimit: 0,
    drainTimeoutMs: 3_600_000,
    killGraceMs: 250,
    runAs: ['deploy', 'app:www-data'],
    defaultLimits: { memory: 536_870_912, cpus: 1.5, nice: 10 },
    maxLimits: { memory: 1_073_741_824, processes: 200 },
    allJobs: { memory: 2_147_483_648, cpus: 0.5, processes: 1000 },
    keep: { ageMs: 7_776_000_000, jobs: 1, bytes: 1_610_612_736 },
    logLevel: 'debug',
  })
  for (const [list, address] of [
    [allowed, '10.1.2.3'],
    [allowed, '::1'],
    [trustedProxies, '192.0.2.1'],
  ] as const) {
    assert.equal(list!.has(address), true)
    assert.equal(list!.has('192.0.2.2'), false)
  }
})

const NAMES = 'memory, cpus, processes, ioWeight, openFiles, fileSize'

for (const [name, value, fault] of [
  ['AGENT_RUN_AS', '', 'must be users such as deploy or deploy:www-data, with commas between them'],
  ['AGENT_RUN_AS', 'deploy,0', 'must be users such as deploy or deploy:www-data, with commas between them'],
  ['AGENT_RUN_AS', 'a:b:c', 'must be users such as deploy or deploy:www-data, with commas between them'],
  ['AGENT_MAX_LIMITS', 'nice=5', `must be such as memory=512mb,cpus=1.5; the names are ${NAMES}`],
  ['AGENT_DEFAULT_LIMITS', 'memory', `must be such as memory=512mb,cpus=1.5; the names are ${NAMES}, nice`],
  ['AGENT_DEFAULT_LIMITS', 'cpus=1,cpus=2', 'has cpus twice'],
  ['AGENT_DEFAULT_LIMITS', 'memory=1m', 'memory must be a size such as 512mb, from 4mb to 1024tb'],
  ['AGENT_DEFAULT_LIMITS', 'nice=-1', 'nice must be a whole number from 0 to 19'],
  ['AGENT_JOBS_MEMORY', '1mb', 'must be a size such as 512mb, from 4mb to 1024tb'],
  ['AGENT_JOBS_CPUS', '0', 'must be a number from 0.01 to 1024'],
  ['AGENT_JOBS_PROCESSES', '1.5', 'must be a whole number from 1 to 4194304'],
] as const) {
  test(`${name}=${value} is a mistake`, () => {
    assert.deepEqual(mistakesOf({ [name]: value }), [`${name}=${value}: ${fault}`])
  })
}

test('a default above the most is a mistake', () => {
  const settings = { AGENT_DEFAULT_LIMITS: 'memory=2gb,cpus=1', AGENT_MAX_LIMITS: 'memory=1gb,cpus=1' }
  assert.deepEqual(mistakesOf(settings), [
    'AGENT_DEFAULT_LIMITS: memory=2gb is more than the 1gb of AGENT_MAX_LIMITS',
  ])
})

test('the address of the metrics has a port', () => {
  const { metricsListen } = readConfig({ AGENT_METRICS_LISTEN: 'db1.example.com:0' })
  assert.deepEqual(metricsListen, { host: 'db1.example.com', port: 0 })
  for (const text of [
    '',
    '9464',
    ':9464',
    '127.0.0.1',
    '::1:9464',
    '127.0.0.1:65536',
    'a b:1',
    '127.0.0.1:9464x',
  ])
    assert.deepEqual(mistakesOf({ AGENT_METRICS_LISTEN: text }), [
      `AGENT_METRICS_LISTEN=${text}: must be an address and a port, such as 127.0.0.1:9464`,
    ])
})

test('only TLS with both a certificate and its key is TLS', () => {
  const told = 'AGENT_TLS_CERT, AGENT_TLS_KEY: TLS needs a certificate and its key'
  assert.deepEqual(mistakesOf({ AGENT_TLS_CERT: '/c.pem' }), [`${told}; AGENT_TLS_KEY is missing`])
  assert.deepEqual(mistakesOf({ AGENT_TLS_KEY: '/k.pem' }), [`${told}; AGENT_TLS_CERT is missing`])
  assert.match(mistakesOf({ AGENT_TLS_CLIENT_CA: '/ca.pem' })[0]!, /AGENT_TLS_CLIENT_CA: TLS needs/)
})

test('a data directory that is not absolute is made so', () => {
  assert.equal(readConfig({ AGENT_DATA_DIR: 'data' }).dataDirectory, resolve('data'))
})

/** What the data directory is for a user who has set nothing, in a process with this environment. */
const defaultDirectory = (env: NodeJS.ProcessEnv, uid?: number): string => {
  const module = join(import.meta.dirname, '../../runtime/config.ts')
  // Loaded before the user is changed: another one may not be allowed to read it.
  const program = `import { readConfig } from ${JSON.stringify(module)}
    ${uid === undefined ? '' : `process.setuid(${uid})`}
    process.stdout.write(readConfig(process.env).dataDirectory)`
  const args = ['--input-type=module', '-e', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  return stdout || stderr
}
const isRoot = process.getuid?.() === 0
/** Nobody of the password file. */
const someUser = isRoot ? 54_321 : undefined

test("root keeps its data under /var/lib, a user in the state directory of the XDG's", {
  skip: !isRoot,
}, () => {
  assert.equal(defaultDirectory({ HOME: '/root', XDG_STATE_HOME: '/x' }), '/var/lib/newdt-auto')
  assert.equal(defaultDirectory({ HOME: '/home/me' }, 65_534), '/home/me/.local/state/newdt-auto')
})

test('a user without an entry in the password file, as in a container, has a data directory too', () => {
  assert.equal(defaultDirectory({ HOME: '/home/me' }, someUser), '/home/me/.local/state/newdt-auto')
  const withState = { HOME: '/home/me', XDG_STATE_HOME: '/state' }
  assert.equal(defaultDirectory(withState, someUser), '/state/newdt-auto')
  assert.equal(
    defaultDirectory({ ...withState, XDG_STATE_HOME: '' }, someUser),
    '/home/me/.local/state/newdt-auto',
  )
})

const WRONG: [name: string, values: string[], allowed: RegExp][] = [
  ['AGENT_HOST', [''], /not be empty/],
  ['AGENT_PORT', ['', 'http', '-1', '65536', '80.5', '0x50', '1e3', ' 80', '9'.repeat(30)], /0 to 65535/],
  ['AGENT_CONSOLE', ['', 'true', 'ON', 'no'], /must be on or off/],
  ['AGENT_SIGN_TTL', ['', '30', '-5m', 'abc', '5 minutes'], /duration such as 30s/],
  ['AGENT_CLOCK_SKEW', ['', 'abc', '-1s'], /duration such as 30s/],
  ['AGENT_MAX_RUNNING', ['', '0', '-5', 'five', '10001', '1.5'], /1 to 10000/],
  ['AGENT_DATA_DIR', [''], /not be empty/],
  [
    'AGENT_BODY_LIMIT',
    ['', 'big', '-1mb', '0', '1023', '257mb', '8 megabytes'],
    /size such as 512mb, from 1kb to 256mb/,
  ],
  ['AGENT_OUTPUT_LIMIT', ['', 'big', '-1', '257mb', '1gb'], /size such as 512mb, from 0b to 256mb/],
  ['AGENT_KILL_GRACE', ['', '5', '25d', 'abc'], /duration such as 30s.*at most 24d/],
  ['AGENT_KEEP', ['', '7', 'forever'], /duration such as 30s/],
  ['AGENT_KEEP_JOBS', ['', '0', 'all', '-1'], /1 to 100000000/],
  ['AGENT_KEEP_BYTES', ['', 'all', '-1', '2tb'], /size such as 512mb, from 0b to 1tb/],
  ['AGENT_AUTH', ['', 'Strict', 'none'], /must be any or strict/],
  ['AGENT_AUDIT_COMMANDS', ['', 'yes', '1'], /must be true or false/],
  ['AGENT_AUTHORITIES', ['', 'a,,b', 'http://a', 'a b', 'a:b'], /must be hosts such as/],
  ['AGENT_ALLOW', ['', 'any', '10.0.0.0/33', '10.0.0.1 10.0.0.2'], /is no address and no CIDR range/],
  ['AGENT_TRUSTED_PROXIES', ['localhost'], /"localhost" is no address/],
  ['AGENT_LOG_LEVEL', ['', 'INFO', 'verbose', 'warning'], /fatal, error, warn, info, debug, trace, silent/],
]

test('a mistake is one line that names the variable, the value and what is allowed', () => {
  for (const [name, values, allowed] of WRONG) {
    for (const value of values) {
      const [line, ...more] = mistakesOf({ AGENT_SECRET: SECRET, [name]: value })
      assert.ok(line?.startsWith(`${name}=${value}: `), `${name}=${value} gave ${line}`)
      assert.match(line ?? '', allowed)
      assert.deepEqual(more, [])
    }
  }
})

test('all mistakes are told at once, in a line each, and none of them holds the secret', () => {
  const some = fc
    .subarray(WRONG)
    .chain(chosen =>
      fc.tuple(
        ...chosen.map(([name, values]) => fc.constantFrom(...values).map(value => [name, value] as const)),
      ),
    )
  fc.assert(
    fc.property(some, chosen => {
      const mistakes = mistakesOf({ AGENT_SECRET: SECRET, ...Object.fromEntries(chosen) })
      assert.deepEqual(mistakes.map(line => line.split('=')[0]).sort(), chosen.map(([name]) => name).sort())
      assert.ok(!mistakes.join().includes(SECRET))
    }),
  )
})

test('a mistake stays one line when the value has several', () => {
  for (const value of ['80\n81', '80\r\n', '80\u2028']) {
    const mistakes = mistakesOf({ AGENT_PORT: value })
    assert.equal(mistakes.length, 1)
    assert.doesNotMatch(mistakes[0]!, /[\r\n\u2028]/)
  }
})

test('an empty secret is a mistake', () => {
  assert.match(mistakesOf({ AGENT_SECRET: '' }).join(), /^AGENT_SECRET: must not be empty$/)
  assert.match(mistakesOf({ AGENT_SECRET_FILE: '' }).join(), /^AGENT_SECRET_FILE=: must not be empty$/)
})

test('a secret and a file with one are a mistake together', () => {
  const mistakes = mistakesOf({ AGENT_SECRET: SECRET, AGENT_SECRET_FILE: '/etc/secret', AGENT_PORT: 'x' })
  assert.equal(mistakes.length, 2)
  assert.ok(mistakes.some(line => line.startsWith('AGENT_SECRET, AGENT_SECRET_FILE: only one')))
  assert.ok(!mistakes.join().includes(SECRET))
})

test('without a secret only the loopback address is listened on', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
    assert.deepEqual(mistakesOf({ AGENT_HOST: host }), [])
  for (const host of [
    '0.0.0.0',
    '::',
    '192.168.1.5',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '128.0.0.1',
  ]) {
    const [line, ...more] = mistakesOf({ AGENT_HOST: host })
    assert.ok(
      line?.startsWith(
        `AGENT_HOST=${host}: without AGENT_SECRET, AGENT_SECRET_FILE or AGENT_KEYS_FILE only a loopback`,
      ),
    )
    assert.deepEqual(more, [])
    assert.deepEqual(mistakesOf({ AGENT_HOST: host, AGENT_SECRET: SECRET }), [])
    assert.deepEqual(mistakesOf({ AGENT_HOST: host, AGENT_SECRET_FILE: '/etc/secret' }), [])
  }
})

test('a setting that is not allowed keeps no other from being told', () => {
  const mistakes = mistakesOf({ AGENT_HOST: '0.0.0.0', AGENT_PORT: 'x', AGENT_KEEP: 'y' })
  assert.deepEqual(mistakes.map(line => line.split('=')[0]).sort(), [
    'AGENT_HOST',
    'AGENT_KEEP',
    'AGENT_PORT',
  ])
})

test('a setting with an unknown name is a mistake that names the one that was meant, and never its value', () => {
  assert.deepEqual(mistakesOf({ AGENT_SECERT: SECRET, AGENT_SECRET: 'x', AGENT_XYZZY_PLUGH: '1' }), [
    'AGENT_SECERT: no such setting, perhaps AGENT_SECRET is meant',
    'AGENT_XYZZY_PLUGH: no such setting',
  ])
})
