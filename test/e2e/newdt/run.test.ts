import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, type RunningAgent, SECRET, startAgent } from '../../support/agent.ts'
import { newdt, startNewdt } from '../../support/newdt.ts'

const home = createHome()
let agent: RunningAgent
let env: Record<string, string>

before(async () => {
  agent = await startAgent(home)
  env = { NEWDT_HOST: agent.url, NEWDT_SECRET: SECRET }
})
after(() => agent.end())

const run = (...args: string[]) => newdt(['run', ...args], { env })

describe('newdt run', () => {
  const ends: [label: string, args: string[], code: number, line: RegExp][] = [
    ['success', ['--', 'true'], 0, /^$/],
    ['the exit code of the job', ['--', 'exit 7'], 7, /^$/],
    ['128 and the signal', ['--', 'kill -HUP $$'], 129, /was ended by a signal: signal: hangup\n$/],
    ['a real-time signal', ['--', 'kill -35 $$'], 163, /signal: signal 35\n$/],
    ['a timeout by its signal', ['--timeout', '50ms', '--', 'sleep 30'], 143, /longer than its timeout/],
    [
      'a timeout that the job answers with 0',
      ['--timeout', '500ms', '--', "trap 'exit 0' TERM; sleep 30 & wait"],
      124,
      /longer than its timeout: timed out after 500ms\n$/,
    ],
    ['a job that cannot be started', ['-w', '/nope', '--', 'ls'], 126, /could not be started: chdir \/nope/],
    ['a refusal', ['--output-limit', '1tb', '--', 'ls'], 125, /^newdt: invalid request: outputLimit/],
    [
      'a callback that the agent does not allow',
      ['--notify', 'https://ci.example.com', '--', 'ls'],
      125,
      /^newdt: notify\.url is not allowed/,
    ],
    ['no command', [], 125, /^newdt: what is to be run\?/],
    ['a command without --', ['ls'], 125, /^newdt: what is to be run\?/],
    ['a command and its words without --', ['db1', 'ls', '/tmp'], 125, /^newdt: what is to be run\?/],
    ['the help of a command without --', ['df', '-h'], 125, /^newdt: what is to be run\?/],
    [
      'an unknown option',
      ['--timout', '3s', '--', 'ls'],
      125,
      /Did you mean --timeout\?\); see newdt run --help/,
    ],
    ['an unknown host', ['db9', '--', 'ls'], 125, /^newdt: db9: there is no such host; newdt host ls/],
  ]
  for (const [label, args, code, line] of ends) {
    test(`ends with ${code} for ${label}`, async () => {
      const end = await run(...args)
      assert.match(end.stderr, line)
      assert.deepEqual([end.code, end.stdout], [code, ''])
      assert.ok(end.stderr.split('\n').length <= 2, 'one line at most')
    })
  }

  test('prints each stream to its own, byte for byte', async () => {
    const bytes = join(home.path, 'bytes')
    const all = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7) % 256))
    writeFileSync(bytes, all)
    const { ended } = startNewdt(
      ['run', '--', `cat ${bytes}; tac -s '' ${bytes} >/dev/null; cat ${bytes} ${bytes} >&2`],
      { env },
    )
    const { code, stdout, stderr } = await ended
    assert.equal(code, 0)
    assert.deepEqual([stdout, stderr], [all, Buffer.concat([all, all])])
  })

  test('prints output while the job runs', async () => {
    const gate = join(home.path, 'gate')
    const live = startNewdt(
      ['run', '--', `echo first; until [ -e ${gate} ]; do sleep 0.05; done; echo last`],
      { env },
    )
    await live.printed(/^first\n$/)
    writeFileSync(gate, '')
    assert.equal((await live.ended).stdout.toString(), 'first\nlast\n')
  })

  test('passes words on as they are, and one word as a command line', async () => {
    const words = ["it's", '$HOME', 'a  b', '', '*', '"', '\\', 'ü', '-n']
    assert.equal(
      (await run('--', 'printf', '<%s>', ...words)).stdout,
      words.map(word => `<${word}>`).join(''),
    )
    assert.equal((await run('--', 'echo $((1 + 2)) | cat')).stdout, '3\n')
    assert.equal((await run('--', 'echo', '--', '-x')).stdout, '-- -x\n')
  })

  test('passes environment, directory, input and labels on', async () => {
    const options = [
      '-e',
      'A=1=2',
      '-e',
      'FROM_HERE',
      '-w',
      '/tmp',
      '--label',
      'env=prod',
      '--label',
      'a=b',
      '--stdin',
    ]
    const end = await newdt(['run', ...options, '--', 'echo $A $FROM_HERE $PWD; cat'], {
      env: { ...env, FROM_HERE: 'here' },
      input: 'ü\n',
    })
    assert.deepEqual(end, { code: 0, stdout: '1=2 here /tmp\nü\n', stderr: '' })
    const listed = await newdt(['ps', '-a', '--label', 'env=prod', '-o', 'json'], { env })
    assert.deepEqual(JSON.parse(listed.stdout)[0].labels, { a: 'b', env: 'prod' })
    const missing = await run('-e', 'NOT_SET_HERE', '--', 'true')
    assert.deepEqual([missing.code, missing.stdout], [125, ''])
    assert.match(missing.stderr, /NOT_SET_HERE is not set here/)
    const binary = await newdt(['run', '--stdin', '--', 'cat'], { env, input: Buffer.of(0xff) })
    assert.equal(binary.code, 125)
    assert.match(binary.stderr, /standard input is not UTF-8/)
  })

  test('-d prints the id alone, and the same key runs once', async () => {
    const mark = join(home.path, 'mark')
    const args = ['-d', '--idempotency-key', 'once', '--', `echo x >>${mark}`]
    const [first, second] = [await run(...args), await run(...args)]
    assert.match(first.stdout, /^[0-9a-f]{32}\n$/)
    assert.equal(second.stdout, first.stdout)
    const waited = await newdt(['wait', first.stdout.trim()], { env })
    assert.deepEqual(waited, { code: 0, stdout: `${first.stdout.trim()} success\n`, stderr: '' })
    assert.equal((await run('--', `cat ${mark}`)).stdout, 'x\n')
  })

  test('tells of output that is not kept', async () => {
    const end = await run('--output-limit', '1kb', '--', 'for i in {1..2000}; do echo line $i; done')
    assert.equal(end.code, 0)
    assert.match(end.stderr, /^(newdt: [\d.]+ K?B of its output, from here on, are not kept\n)+$/)
    assert.match(end.stdout, /line 2000\n$/)
  })

  test('ends by 141 when nobody reads, and leaves the job', async () => {
    const live = startNewdt(['run', '--', 'yes'], { env })
    await live.printed(/^y\n/)
    live.child.stdout!.destroy()
    const { code, stderr } = await live.ended
    assert.equal(code, 141)
    const [, id] = /nobody reads any more, the job goes on: newdt logs -f (\w+)/.exec(stderr.toString())!
    assert.deepEqual(await newdt(['cancel', '--grace', '0s', id!], { env }), {
      code: 0,
      stdout: `${id}\n`,
      stderr: '',
    })
  })
})

describe('newdt script', () => {
  test('runs a file with its arguments, by the type that its name or first line says', async () => {
    const shell = join(home.path, 'check me.sh')
    writeFileSync(shell, 'printf "<%s>" "$@"; cat; exit 3\n')
    const args = ['a b', "it's", '$X', '', '--flag']
    const end = await newdt(['script', shell, '--stdin', '--', ...args], { env, input: 'in' })
    assert.deepEqual(end, { code: 3, stdout: `${args.map(arg => `<${arg}>`).join('')}in`, stderr: '' })
    const python = join(home.path, 'x')
    writeFileSync(python, '#!/usr/bin/env python3\nimport sys; print(sys.argv[1:])\n')
    assert.equal((await newdt(['script', python, '--', '1'], { env })).stdout, "['1']\n")
    assert.equal((await newdt(['script', '-'], { env, input: 'echo $((40 + 2))' })).stdout, '42\n')
    assert.equal(
      (await newdt(['script', agent.url, '-', '--type', 'python'], { env, input: 'print(7)' })).stdout,
      '7\n',
    )
    const words = await newdt(['script', agent.url, shell, 'one'], { env })
    assert.equal(words.code, 125)
    assert.match(words.stderr, /^newdt: what the script is given stands behind --: newdt script .* -- one\n$/)
    const missing = await newdt(['script', '/nope'], { env })
    assert.deepEqual([missing.code, missing.stderr.includes('cannot be read')], [125, true])
  })
})

describe('newdt without an agent', () => {
  test('says in one line what is wrong and what to do', async () => {
    const cases: [Record<string, string>, RegExp][] = [
      [{ ...env, NEWDT_HOST: agent.url.replace('http:', 'https:') }, /TLS is not spoken there/],
      [{ ...env, NEWDT_HOST: `${agent.url}/x` }, /no such endpoint; check the address/],
      [{ NEWDT_HOST: 'db9' }, /^newdt: db9: there is no such host; .* a URL such as http:\/\/db9:8080\n$/],
      [
        { NEWDT_HOST: 'http://127.0.0.1:9', NEWDT_SECRET: SECRET },
        /^newdt: 127\.0\.0\.1:9: .*; is an agent running there\?/,
      ],
      [{ ...env, NEWDT_SECRET: 'wrong' }, /^newdt: the signature is wrong; check the secret/],
      [{ NEWDT_HOST: agent.url }, /^newdt: the request is not signed; say who you are: NEWDT_SECRET/],
      [{ ...env, NEWDT_TOKEN: 'x' }, /^newdt: NEWDT_TOKEN and NEWDT_SECRET are both set/],
      [{ NEWDT_HOST: 'http://[', NEWDT_SECRET: SECRET }, /^newdt: http:\/\/\[: is no URL/],
    ]
    for (const [env, line] of cases) {
      const end = await newdt(['run', '--', 'true'], { env })
      assert.match(end.stderr, line)
      assert.deepEqual([end.code, end.stdout, end.stderr.split('\n').length], [125, '', 2])
    }
  })

  test('finds the secret of the agent on this machine', async () => {
    const secret = join(home.path, 'secret')
    writeFileSync(secret, `${SECRET}\n`, { mode: 0o600 })
    const local = { NEWDT_HOST: agent.url, AGENT_SECRET_FILE: secret }
    assert.equal((await newdt(['run', '--', 'echo found'], { env: local })).stdout, 'found\n')
  })
})

test('an agent that newdt has asked leaves nothing behind', async () => {
  await agent.end()
  await home.assertClean()
})
