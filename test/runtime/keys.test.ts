import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashToken, type Key } from '../../lib/security/keys.ts'
import { loadKeys, watchKeys } from '../../runtime/keys.ts'
import { recordingLog } from '../support/recording-log.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { waitFor } from '../support/wait-for.ts'

const ALICE = { id: 'alice', rights: ['read'], token: hashToken('alice') }
const BOB = { id: 'bob', rights: ['run'], secret: 'the secret of bob' }

const newFile = (...keys: object[]) => {
  const dataDirectory = scratchDirectory()
  const keysFile = join(dataDirectory, 'keys.json')
  const write = (text: string): void => {
    writeFileSync(`${keysFile}.new`, text, { mode: 0o600 })
    renameSync(`${keysFile}.new`, keysFile)
  }
  write(JSON.stringify({ keys }))
  const options = { secret: undefined, secretFile: undefined, keysFile, dataDirectory }
  return { keysFile, options, write, writeKeys: (...all: object[]) => write(JSON.stringify({ keys: all })) }
}

const idsOf = (keys: readonly Key[]): string[] => keys.map(({ id }) => id)

test('a file of keys is all there is, and a secret beside it is the key "default"', async () => {
  const { options } = newFile(ALICE, BOB)
  const alone = await loadKeys(options)
  assert.deepEqual(
    [idsOf(alone.keys), alone.secret, alone.madeUpIn],
    [['alice', 'bob'], undefined, undefined],
  )
  const beside = await loadKeys({ ...options, secret: 'shindata' })
  assert.deepEqual([idsOf(beside.keys), beside.secret], [['default', 'alice', 'bob'], 'shindata'])
})

test('a file that another account may write, or whose secrets it may read, is refused', async () => {
  const { keysFile, options, writeKeys } = newFile(ALICE)
  for (const mode of [0o620, 0o602, 0o666]) {
    chmodSync(keysFile, mode)
    await assert.rejects(loadKeys(options), /others may write it; chmod 600/)
  }
  chmodSync(keysFile, 0o644)
  assert.deepEqual(idsOf((await loadKeys(options)).keys), ['alice'])
  writeKeys(ALICE, BOB)
  for (const mode of [0o640, 0o604]) {
    chmodSync(keysFile, mode)
    await assert.rejects(loadKeys(options), /it holds secrets that others may read; chmod 600/)
  }
})

test('a file of another account is refused', {
  skip: process.getuid?.() !== 0 && 'only root can give a file away',
}, async () => {
  const { keysFile, options } = newFile(ALICE)
  chownSync(keysFile, 12_345, 12_345)
  await assert.rejects(loadKeys(options), /it belongs to user 12345/)
})

test('a file in a directory that everybody may write is refused, wherever a link leads', async () => {
  const { keysFile, options } = newFile(ALICE)
  const { dataDirectory } = options
  chmodSync(dataDirectory, 0o777)
  await assert.rejects(loadKeys(options), /others may write the directory .*; chmod go-w /)
  const elsewhere = scratchDirectory()
  const link = join(elsewhere, 'link.json')
  symlinkSync(keysFile, link)
  await assert.rejects(loadKeys({ ...options, keysFile: link }), /others may write the directory/)
  // Nobody may rename what is another's in a directory such as /tmp.
  chmodSync(dataDirectory, 0o1777)
  assert.equal((await loadKeys({ ...options, keysFile: link })).keys.length, 1)
  chmodSync(elsewhere, 0o777)
  mkdirSync(join(elsewhere, 'own'), { mode: 0o700 })
  renameSync(keysFile, join(elsewhere, 'own/keys.json'))
  await assert.rejects(
    loadKeys({ ...options, keysFile: join(elsewhere, 'own/keys.json') }),
    /others may write the directory/,
  )
})

test('a pipe in the place of the file is refused, and holds nothing up', async () => {
  const { keysFile, options } = newFile(ALICE)
  rmSync(keysFile)
  execFileSync('mkfifo', ['-m', '600', keysFile])
  await assert.rejects(loadKeys(options), /is no regular file/)
  const secretFile = keysFile
  await assert.rejects(loadKeys({ ...options, keysFile: undefined, secretFile }), /is no regular file/)
})

test('keys are taken up when their file changes; while it is faulty those from before stay', async t => {
  const { keysFile, options, write, writeKeys } = newFile(ALICE)
  const { log, lines } = recordingLog()
  const taken: string[][] = []
  const { version } = await loadKeys(options)
  const watch = watchKeys({
    ...options,
    version,
    audit: { record: async () => {} },
    log,
    intervalMs: 5,
    onKeys: keys => void taken.push(idsOf(keys)),
  })
  t.after(() => watch.close())
  const told = (message: RegExp) => lines.filter(line => message.test(line.message)).length

  writeKeys(ALICE, BOB)
  await waitFor('bob is taken up', () => taken.at(-1)?.includes('bob'))
  const taken1 = taken.length
  write('{"keys": [{"secret": "half a fi')
  await waitFor('the fault is told', () => told(/CANNOT BE USED/) === 1)
  rmSync(keysFile)
  await waitFor('that it is missing is told', () => told(/CANNOT BE USED/) === 2)
  assert.equal(taken.length, taken1)
  assert.ok(!JSON.stringify(lines).includes('half a fi'))
  writeKeys(BOB)
  await waitFor('alice is gone', () => taken.at(-1)?.join() === 'bob')
})

test('a secret that becomes very short is not taken up: it is half of one', async t => {
  const dataDirectory = scratchDirectory()
  const secretFile = join(dataDirectory, 'given')
  writeFileSync(secretFile, 'short\n', { mode: 0o600 })
  const { log, lines } = recordingLog()
  const taken: string[] = []
  const options = { secret: undefined, secretFile, keysFile: undefined, dataDirectory }
  const { version, secret } = await loadKeys(options)
  assert.equal(secret, 'short')
  const watch = watchKeys({
    ...options,
    version,
    audit: { record: async () => {} },
    log,
    intervalMs: 5,
    onKeys: ([key]) => void taken.push(key!.secrets.join()),
  })
  t.after(() => watch.close())
  writeFileSync(secretFile, 'correct')
  await waitFor('the fault is told', () => lines.length === 1)
  assert.match(String((lines[0]!.fields as { error?: string }).error), /a secret has fewer than 8 characters/)
  writeFileSync(secretFile, 'correct-horse')
  await waitFor('the whole one is good', () => taken.length > 0)
  assert.deepEqual(taken, ['correct-horse'])
})

test('a made-up secret stays while its file is gone, empty or half written, and none is made up in its place', async t => {
  const dataDirectory = scratchDirectory()
  const path = join(dataDirectory, 'secret')
  const { log, lines } = recordingLog()
  const taken: string[] = []
  const options = { secret: undefined, secretFile: undefined, keysFile: undefined, dataDirectory }
  const { version } = await loadKeys(options)
  const watch = watchKeys({
    ...options,
    version,
    audit: { record: async () => {} },
    log,
    intervalMs: 5,
    onKeys: ([key]) => void taken.push(key!.secrets.join()),
  })
  t.after(() => watch.close())
  const errors = () => lines.map(({ fields }) => String((fields as { error?: string }).error))
  rmSync(path)
  await waitFor('that it is gone is told', () => errors().some(error => error.startsWith('ENOENT')))
  writeFileSync(path, '', { mode: 0o600 })
  await waitFor('that it is empty is told', () => errors().some(error => /is empty/.test(error)))
  writeFileSync(path, 'correct')
  await waitFor('that it is short is told', () => errors().some(error => /fewer than 8/.test(error)))
  assert.deepEqual(taken, [])
  writeFileSync(path, 'correct-horse\n')
  await waitFor('another that is whole is taken up', () => taken.join() === 'correct-horse')
})

test('a secret that is rotated is taken up too, also before anybody looks', async t => {
  const dataDirectory = scratchDirectory()
  const secretFile = join(dataDirectory, 'given')
  writeFileSync(secretFile, 'old-secret\n', { mode: 0o600 })
  const { log } = recordingLog()
  let secrets: readonly string[] = []
  const options = { secret: undefined, secretFile, keysFile: undefined, dataDirectory }
  const { version } = await loadKeys(options)
  writeFileSync(secretFile, 'new-secret\nold-secret\n')
  const watch = watchKeys({
    ...options,
    version,
    audit: { record: async () => {} },
    log,
    intervalMs: 5,
    onKeys: ([key]) => {
      secrets = key!.secrets
    },
  })
  t.after(() => watch.close())
  await waitFor('both are good', () => secrets.join() === 'new-secret,old-secret')
})
