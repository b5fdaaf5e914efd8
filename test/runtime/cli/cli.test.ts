import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openAudit } from '../../../lib/security/audit.ts'
import { hashToken, parseKeys } from '../../../lib/security/keys.ts'
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
    for (const args of [[], ['help'], ['--help']]) assert.match(newdt(args).stdout, /newdt key new --id/)
    const wrong = newdt(['key', 'old'])
    assert.deepEqual([wrong.status, wrong.stderr], [2, 'newdt: key old: no such command; see newdt help\n'])
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

  test('changes nothing when something is wrong, and says what', () => {
    const before = readFileSync(file, 'utf8')
    const wrong: [string[], number, RegExp][] = [
      [['--rights', 'read'], 2, /--id is missing/],
      [['--id', 'carol'], 2, /--rights is missing/],
      [['--id', 'alice', '--rights', 'admin'], 2, /"alice" is there already, with other rights/],
      [['--id', 'carol', '--rights', 'write'], 1, /keys\.2\.rights\.0/],
      [['--id', 'a b', '--rights', 'read'], 1, /keys\.2\.id/],
      [['--name', 'x'], 2, /--name/],
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
