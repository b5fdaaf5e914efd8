import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSecrets } from '../../runtime/secret.ts'
import { scratchDirectory } from '../support/scratch.ts'

const NONE = { secret: undefined, secretFile: undefined, keysFile: undefined }

const withFile = (content: string, mode = 0o600) => {
  const secretFile = join(scratchDirectory(), 'given')
  writeFileSync(secretFile, content)
  chmodSync(secretFile, mode)
  return loadSecrets({ ...NONE, secretFile, dataDirectory: '/nonexistent' })
}

const madeUpIn = (dataDirectory: string) => loadSecrets({ ...NONE, dataDirectory })

test('a given secret is taken as it is, and nothing is written', async () => {
  const dataDirectory = scratchDirectory()
  const secret = await loadSecrets({ ...NONE, secret: ' shindata\n', dataDirectory })
  assert.deepEqual(secret, { values: [' shindata\n'], madeUpIn: undefined })
  assert.deepEqual(readdirSync(dataDirectory), [])
})

test('the secrets of a file are its lines, several while one takes the place of another', async () => {
  const contents = {
    'shindata\n': ['shindata'],
    'shindata\r\n': ['shindata'],
    shindata: ['shindata'],
    'a b \n\n': ['a b '],
    'new\nold\n': ['new', 'old'],
    '密码\n': ['密码'],
  }
  for (const [content, values] of Object.entries(contents)) {
    assert.deepEqual(await withFile(content), { values, madeUpIn: undefined })
  }
})

test('beside a file of keys no secret is made up', async () => {
  const dataDirectory = scratchDirectory()
  const secrets = await loadSecrets({ ...NONE, keysFile: '/some/keys.json', dataDirectory })
  assert.deepEqual(secrets, { values: [], madeUpIn: undefined })
  assert.deepEqual(readdirSync(dataDirectory), [])
})

test('a file with nothing in it is an error that names the file', async () => {
  for (const content of ['', '\n', '\r\n'])
    await assert.rejects(withFile(content), /given: the secret is empty/)
})

test('a file that others may read or write is refused, and what is in it is not told', async () => {
  for (const [mode, why] of [
    [0o666, 'others may write it; chmod 600'],
    [0o620, 'others may write it; chmod 600'],
    [0o644, 'it holds secrets that others may read; chmod 600'],
    [0o640, 'it holds secrets that others may read; chmod 600'],
  ] as const) {
    await assert.rejects(withFile('shindata', mode), ({ message }: Error) => {
      assert.ok(message.startsWith(why), message)
      return !message.includes('shindata')
    })
  }
  assert.deepEqual((await withFile('shindata', 0o400)).values, ['shindata'])
})

test('a file that is missing is an error that names the file', async () => {
  const secretFile = join(scratchDirectory(), 'missing')
  const loading = loadSecrets({ ...NONE, secretFile, dataDirectory: '/nonexistent' })
  await assert.rejects(loading, /ENOENT.*missing/)
})

test('without a secret one is made up, long, for its owner alone, and said where', async t => {
  const umask = process.umask(0)
  t.after(() => process.umask(umask))
  const dataDirectory = scratchDirectory()
  const secret = await madeUpIn(dataDirectory)
  assert.equal(secret.madeUpIn, join(dataDirectory, 'secret'))
  assert.match(secret.values[0]!, /^[0-9a-f]{48}$/)
  assert.equal(statSync(secret.madeUpIn!).mode & 0o777, 0o600)
  assert.equal(readFileSync(secret.madeUpIn!, 'utf8'), `${secret.values[0]}\n`)
})

test('a made-up secret is the same at the next start, and another in another directory', async () => {
  const [here, there] = [scratchDirectory(), scratchDirectory()]
  const first = await madeUpIn(here)
  assert.deepEqual(await madeUpIn(here), first)
  assert.notDeepEqual((await madeUpIn(there)).values, first.values)
})

test('an empty file, which an agent that died or a full disk may leave behind, is filled again', async () => {
  const dataDirectory = scratchDirectory()
  writeFileSync(join(dataDirectory, 'secret'), '', { mode: 0o600 })
  assert.match((await madeUpIn(dataDirectory)).values[0]!, /^[0-9a-f]{48}$/)
})

test('a data directory that cannot be written is an error', async () => {
  await assert.rejects(madeUpIn('/nonexistent/directory'), { code: 'ENOENT' })
})
