import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { hashToken } from '../../../lib/security/keys.ts'
import { asCurl, asNewdt } from '../../../runtime/console/copy-as.ts'
import { createHome, ROOT, SECRET, startAgent } from '../../support/agent.ts'

const URL = 'https://db1.example.com:8443/agents/one/'

const BY_TOKEN = { agentUrl: URL, proof: 'token', language: 'zh' } as const

const BARE = { params: '', labels: {}, user: '', limits: {}, encoding: 'utf-8', async: false }

/** What bash makes of the text: the words that the program is given. */
const wordsOf = async (...texts: string[]): Promise<string[][]> => {
  const shell = ['curl', 'newdt'].map(name => `${name}() { printf '%s\\0' "$@"; printf '\\1\\0'; }`)
  const { stdout } = await promisify(execFile)('bash', ['-c', [...shell, ...texts].join('\n')], {
    env: { PATH: process.env.PATH, TOKEN: 'the token', LC_ALL: 'C' },
    maxBuffer: 2 ** 26,
  })
  return stdout
    .split('\x01\0')
    .slice(0, -1)
    .map(one => one.split('\0').slice(0, -1))
}

const HOSTILE = [
  "it's",
  "';rm -rf /;'",
  '$(id) `id` $HOME',
  'a\\b\\\\n "c" !! !$ ^a^b',
  "!'",
  'two\nlines\n',
  '\ttab\r',
  '\x1b[201~\nid\n',
  '\x7f\x01\x1f\x80\x9b1m',
  '\u202egnp.exe\u202c \u2066x\u2069 \u200b\ufeff \u2028',
  '备份 /数据 é 😀',
  '-rf',
  '@file',
  '#comment',
  '~/x *',
]

test('what is copied for newdt runs exactly the command, whatever is in it', async () => {
  const words = await wordsOf(...HOSTILE.map(cmd => asNewdt({ ...BARE, cmd }, URL)))
  const expected = HOSTILE.map(cmd => ['run', URL.slice(0, -1), '--', cmd])
  assert.deepEqual(words, expected)
})

test('what is copied for curl asks for messages in English where the console speaks it', () => {
  const curl = (language: 'en' | 'zh') => asCurl({ ...BARE, cmd: 'true' }, { ...BY_TOKEN, language })
  assert.ok(curl('en').includes("-H 'Accept-Language: en'"))
  assert.ok(!curl('zh').includes('Accept-Language'))
})

test('what is copied for curl submits exactly the command, whatever is in it', async () => {
  const words = await wordsOf(...HOSTILE.map(cmd => asCurl({ ...BARE, cmd, params: cmd }, BY_TOKEN)))
  for (const [index, cmd] of HOSTILE.entries()) {
    const [silent, url, ...rest] = words[index]!
    assert.deepEqual([silent, url], ['-sS', 'https://db1.example.com:8443/agents/one/api/jobs/execute/cmd'])
    const headers = ['-H', 'Authorization: Bearer the token', '-H', 'Content-Type: application/json', '-d']
    assert.deepEqual(rest.slice(0, -1), headers)
    assert.deepEqual(JSON.parse(rest.at(-1)!), { cmd, params: cmd })
  }
})

test('any command is one word for bash, and nothing in what is copied does anything to a terminal', async () => {
  const anyText = fc.string({ unit: 'binary', minLength: 1 }).map(text => text.replaceAll('\0', '.'))
  await fc.assert(
    fc.asyncProperty(fc.array(anyText, { minLength: 1, maxLength: 200 }), async cmds => {
      const texts = cmds.flatMap(cmd => [asNewdt({ ...BARE, cmd }, URL), asCurl({ ...BARE, cmd }, BY_TOKEN)])
      for (const text of texts) assert.doesNotMatch(text, /(?!\n)\p{Cc}|\p{Cf}/u)
      const words = await wordsOf(...texts)
      const heard = words.map(one => (one[0] === 'run' ? one.at(-1)! : JSON.parse(one.at(-1)!).cmd))
      assert.deepEqual(
        heard,
        cmds.flatMap(cmd => [cmd, cmd]),
      )
    }),
    { numRuns: 4 },
  )
})

test('labels, user, limits and encoding are in both', async () => {
  const job = {
    cmd: 'make',
    params: '-j 2',
    labels: { env: 'prod', 应用: '备份' },
    user: 'deploy:www-data',
    limits: {
      memory: 512 * 1024 ** 2,
      cpus: 1.5,
      fileSize: 1001,
      processes: 3,
      openFiles: 20,
      nice: 0,
      ioWeight: 7,
    },
    encoding: 'gbk',
    async: true,
  }
  const [newdt, curl] = await wordsOf(asNewdt(job, URL), asCurl(job, BY_TOKEN))
  assert.deepEqual(newdt, [
    ...[
      'run',
      URL.slice(0, -1),
      '-d',
      '--label',
      'env=prod',
      '--label',
      '应用=备份',
      '--user',
      'deploy:www-data',
    ],
    ...['--memory', '512mb', '--cpus', '1.5', '--processes', '3', '--open-files', '20'],
    ...['--file-size', '1001b', '--nice', '0', '--io-weight', '7', '--encoding', 'gbk', '--', 'make -j 2'],
  ])
  assert.deepEqual(JSON.parse(curl!.at(-1)!), job)
})

test('an agent takes both, and runs the same again', async t => {
  const home = createHome()
  const keys = [{ id: 'default', rights: ['read', 'run', 'admin'], token: hashToken('nda_token') }]
  const file = join(home.path, 'keys.json')
  writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600 })
  const agent = await startAgent(home, { env: { AGENT_KEYS_FILE: file } })
  t.after(async () => {
    await agent.end()
    await home.assertClean()
  })
  const first = await agent.execute({
    cmd: "printf '%s|' \"it's\" '\t'",
    params: '$((1 + 1)) \\!',
    labels: { env: 'prod' },
    limits: { nice: 3, openFiles: 100, fileSize: 2048 },
    encoding: 'gb2312',
  })
  assert.equal(first.stdout, "it's|\t|2|!|")
  const env = {
    PATH: `${join(ROOT, 'runtime')}:${process.env.PATH}`,
    TOKEN: 'nda_token',
    NEWDT_SECRET: SECRET,
  }
  for (const text of [asNewdt(first, agent.url), asCurl(first, { ...BY_TOKEN, agentUrl: agent.url })]) {
    const { stdout } = await promisify(execFile)('bash', ['-c', text], { env: { ...env, HOME: home.path } })
    assert.ok(stdout.includes("it's|"), stdout)
  }
  const { data } = await agent.call('/api/jobs')
  const [byCurl, byNewdt] = data as (typeof first)[]
  for (const again of [byCurl!, byNewdt!]) {
    const { execCmd, labels, limits, encoding } = again
    assert.deepEqual({ execCmd, labels, limits, encoding }, pick(first))
    assert.equal((await agent.job(again.id)).stdout, first.stdout)
  }
})

const pick = ({ execCmd, labels, limits, encoding }: { [name: string]: unknown }) => ({
  execCmd,
  labels,
  limits,
  encoding,
})
