import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Command } from 'commander'
import { openAudit } from '../../../lib/security/audit.ts'
import { hashToken, parseKeys } from '../../../lib/security/keys.ts'
import type { Cli } from '../../../runtime/cli/cli.ts'
import { createProgram } from '../../../runtime/cli/program.ts'
import type { Sink } from '../../../runtime/cli/sink.ts'
import { ROOT } from '../../support/agent.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const directory = scratchDirectory()

const newdt = (args: string[], env: NodeJS.ProcessEnv = {}, file = join(ROOT, 'runtime/newdt')) => {
  const { status, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  })
  return { status, stdout, stderr }
}

describe('newdt', () => {
  test('says how it is used, and what is no command of it', () => {
    for (const args of [[], ['help'], ['--help']]) {
      const { status, stdout } = newdt(args)
      assert.equal(status, 0)
      assert.match(stdout, /^Usage: newdt [\s\S]*\n {2}run /)
    }
    assert.match(newdt(['--version']).stdout, /^newdt \d+\.\d+\.\d+\n$/)
    const wrong: [string[], string][] = [
      [['key', 'old'], "unknown command 'old'; see newdt key --help"],
      [['jbos'], "unknown command 'jbos'; see newdt --help"],
      [['hots'], "unknown command 'hots' (Did you mean one of host, hosts?); see newdt --help"],
      [['key', 'new'], "required option '--id <id>' not specified; see newdt key new --help"],
      [
        ['ps', '-n', '0'],
        "option '-n, --number <number>' argument '0' is invalid. It should be a whole number, 1 or more; see newdt ps --help",
      ],
      [['logs'], "missing required argument 'id'; see newdt logs --help"],
      [['rnu', '--', 'ls'], "unknown command 'rnu' (Did you mean run?); see newdt --help"],
      [['ps', '--', 'x'], 'newdt ps: nothing can stand behind --'],
    ]
    for (const [args, line] of wrong) {
      const { status, stdout, stderr } = newdt(args)
      assert.deepEqual([status, stdout, stderr], [2, '', `newdt: ${line}\n`])
    }
  })

  test('has examples in the help of every verb', async () => {
    let printed = ''
    const sink: Sink = {
      async write(text) {
        printed += text
      },
      isTerminal: false,
      columns: () => undefined,
      colour: (_, text) => text,
    }
    const cli: Cli = {
      env: {},
      rest: undefined,
      stdin: process.stdin,
      out: sink,
      err: sink,
      exitCode: 0,
      closers: [],
    }
    const verbsOf = (command: Command): Command[] =>
      command.commands.length === 0 ? [command] : command.commands.flatMap(verbsOf)
    const verbs = verbsOf(await createProgram(cli))
    assert.ok(verbs.length > 20)
    for (const verb of verbs) {
      printed = ''
      verb.outputHelp()
      assert.match(printed, /\nExamples:\n {2}\S/, verb.name())
    }
  })

  test('works by a link from anywhere', () => {
    const link = join(directory, 'newdt')
    symlinkSync(join(ROOT, 'runtime/newdt'), link)
    assert.equal(newdt(['help'], {}, link).status, 0)
  })
})

describe('newdt key new', () => {
  const file = join(directory, 'keys.json')

  test('prints a token once and writes its hash, into a file for the account alone', () => {
    const { status, stdout } = newdt(['key', 'new', '--id', 'alice', '--rights', 'read,run', '--file', file])
    assert.equal(status, 0)
    const token = stdout.trim()
    assert.match(token, /^nda_[\w-]{43}$/)
    const text = readFileSync(file, 'utf8')
    assert.ok(!text.includes(token))
    const [alice] = parseKeys(text)
    assert.deepEqual(
      [alice!.id, [...alice!.rights], alice!.tokens],
      ['alice', ['read', 'run'], [hashToken(token)]],
    )
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  test('adds another key, and another token to a key that is there, and keeps what it does not know about', () => {
    const [old] = parseKeys(readFileSync(file, 'utf8'))
    chmodSync(file, 0o640)
    const bob = newdt(['key', 'new', '--id', 'bob', '--rights', 'read'], { AGENT_KEYS_FILE: file })
    const alice = newdt(['key', 'new', '--id', 'alice', '--file', file])
    const keys = parseKeys(readFileSync(file, 'utf8'))
    assert.deepEqual(
      keys.map(({ id, tokens }) => [id, tokens]),
      [
        ['alice', [...old!.tokens, hashToken(alice.stdout.trim())]],
        ['bob', [hashToken(bob.stdout.trim())]],
      ],
    )
    assert.equal(statSync(file).mode & 0o777, 0o640)
    assert.deepEqual(
      readdirSync(directory).filter(name => name.startsWith('keys.json.')),
      [],
    )
  })

  test('makes no key where others may put another file in its place: the agent would refuse it', () => {
    const open = join(directory, 'open')
    mkdirSync(open)
    symlinkSync(join(open, 'keys.json'), join(directory, 'into-open.json'))
    for (const mode of [0o777, 0o775]) {
      chmodSync(open, mode)
      for (const path of [join(open, 'keys.json'), join(directory, 'into-open.json')]) {
        const made = newdt(['key', 'new', '--id', 'alice', '--rights', 'read', '--file', path])
        assert.deepEqual([made.status, made.stdout], [1, ''])
        assert.equal(
          made.stderr,
          `newdt: ${path}: others may write the directory ${open}; chmod go-w ${open}\n`,
        )
      }
      assert.deepEqual(readdirSync(open), [])
    }
    chmodSync(open, 0o755)
    const made = newdt(['key', 'new', '--id', 'alice', '--rights', 'read', '--file', join(open, 'keys.json')])
    assert.equal(made.status, 0)
  })

  test('lets root add to a file of the account that the agent runs as, and to none in the directory of another', {
    skip: process.getuid?.() !== 0 && 'only root can give a file away',
  }, () => {
    const home = join(directory, 'of-agent')
    const path = join(home, 'keys.json')
    mkdirSync(home)
    const make = () => newdt(['key', 'new', '--id', randomUUID(), '--rights', 'read', '--file', path])
    assert.equal(make().status, 0)
    chownSync(home, 12_345, 12_345)
    assert.match(make().stderr, /the directory .*of-agent belongs to user 12345, .*; chown it to 0$/m)
    chownSync(path, 12_345, 12_345)
    assert.equal(make().status, 0)
    assert.equal(statSync(path).uid, 12_345)
  })

  test('changes nothing when something is wrong, and says what', () => {
    const before = readFileSync(file, 'utf8')
    const wrong: [string[], number, RegExp][] = [
      [['--rights', 'read'], 2, /required option '--id/],
      [['--id', 'carol'], 2, /--rights is missing/],
      [['--id', 'alice', '--rights', 'admin'], 2, /"alice" is there already, with other rights/],
      [['--id', 'carol', '--rights', 'write'], 2, /"write" is none of read, run, admin/],
      [['--id', 'a b', '--rights', 'read'], 1, /keys\.2\.id/],
      [['--id', 'x', '--name', 'x'], 2, /unknown option '--name'/],
    ]
    for (const [args, code, message] of wrong) {
      const { status, stdout, stderr } = newdt(['key', 'new', '--file', file, ...args])
      assert.deepEqual([status, stdout], [code, ''], args.join(' '))
      assert.match(stderr, message)
    }
    assert.equal(readFileSync(file, 'utf8'), before)
    const faulty = join(directory, 'faulty.json')
    writeFileSync(faulty, '{')
    assert.match(newdt(['key', 'new', '--id', 'x', '--rights', 'read', '--file', faulty]).stderr, /not JSON/)
  })

  test('without a file prints what belongs into one', () => {
    const { stdout, stderr } = newdt(['key', 'new', '--id', 'alice', '--rights', 'read'])
    const line = stderr.trim().split('\n').at(-1)!
    assert.deepEqual(parseKeys(`{"keys": [${line}]}`)[0]!.tokens, [hashToken(stdout.trim())])
  })
})

describe('newdt audit verify', () => {
  test('tells that a trail is whole, or the first line that is not', async () => {
    const data = scratchDirectory()
    const audit = await openAudit({ directory: data, log: recordingLog().log })
    for (let n = 1; n <= 3; n++) await audit.record({ action: 'submit', outcome: `number ${n}` })
    await audit.close()
    const whole = newdt(['audit', 'verify', data])
    assert.deepEqual(
      [whole.status, whole.stdout],
      [0, `${data}: lines 1 to 3 in one file, none was changed or removed\n`],
    )
    const path = join(data, 'audit.jsonl')
    writeFileSync(path, readFileSync(path, 'utf8').replace('number 2', 'number 7'))
    const changed = newdt(['audit', 'verify'], { AGENT_DATA_DIR: data })
    assert.deepEqual([changed.status, changed.stdout], [1, `${path}:3: line 2 was changed\n`])
    const missing = newdt(['audit', 'verify', join(data, 'nowhere')])
    assert.equal(missing.status, 1)
    assert.match(missing.stderr, /ENOENT/)
  })
})

describe('newdt key list and revoke', () => {
  test('list the keys without a secret, and take one out', () => {
    const file = join(directory, 'more-keys.json')
    const secret = 'sixteen characters'
    writeFileSync(
      file,
      JSON.stringify({ keys: [{ id: 'a', rights: ['read'], secret, unknownToNewdt: undefined }] }),
      {
        mode: 0o600,
      },
    )
    newdt(['key', 'new', '--id', 'b', '--rights', 'run', '--file', file])
    newdt(['key', 'new', '--id', 'b', '--file', file])
    const listed = newdt(['key', 'list', '--file', file])
    assert.equal(
      listed.stdout,
      'ID  RIGHTS  CREDENTIALS  EXPIRES\na   read    secret       -\nb   run     2 × token    -\n',
    )
    const json = newdt(['key', 'ls', '-o', 'json'], { AGENT_KEYS_FILE: file })
    assert.equal(JSON.parse(json.stdout).length, 2)
    assert.doesNotMatch(json.stdout, /sixteen|[0-9a-f]{64}/)
    assert.equal(newdt(['key', 'revoke', 'a', '--file', file]).status, 0)
    assert.deepEqual(
      parseKeys(readFileSync(file, 'utf8')).map(({ id }) => id),
      ['b'],
    )
    const again = newdt(['key', 'revoke', 'a', '--file', file])
    assert.deepEqual(
      [again.status, again.stderr],
      [1, `newdt: ${file}: there is no key "a"; newdt key list\n`],
    )
    assert.equal(newdt(['key', 'list']).status, 2)
  })

  test('follow a link, and leave it one', () => {
    const target = join(directory, 'target.json')
    const link = join(directory, 'link.json')
    writeFileSync(target, '{"keys": []}', { mode: 0o600 })
    symlinkSync(target, link)
    assert.equal(newdt(['key', 'new', '--id', 'a', '--rights', 'read', '--file', link]).status, 0)
    assert.ok(lstatSync(link).isSymbolicLink())
    assert.equal(parseKeys(readFileSync(target, 'utf8')).length, 1)
  })

  test('a token that could not be printed is not kept', () => {
    const file = join(directory, 'full.json')
    writeFileSync(file, '{"keys": []}', { mode: 0o600 })
    const full = openSync('/dev/full', 'w')
    const { status } = spawnSync(
      join(ROOT, 'runtime/newdt'),
      ['key', 'new', '--id', 'a', '--rights', 'read', '--file', file],
      { env: { PATH: process.env.PATH }, stdio: ['ignore', full, 'ignore'] },
    )
    closeSync(full)
    assert.equal(status, 1)
    assert.deepEqual(parseKeys(readFileSync(file, 'utf8')), [])
  })
})
