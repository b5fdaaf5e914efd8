import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSecret } from '../../runtime/secret.ts'
import { scratchDirectory } from '../support/scratch.ts'

const withFile = (content: string) => {
  const secretFile = join(scratchDirectory(), 'given')
  writeFileSync(secretFile, content)
  return loadSecret({ secret: undefined, secretFile, dataDirectory: '/nonexistent' })
}

const madeUpIn = (dataDirectory: string) =>
  loadSecret({ secret: undefined, secretFile: undefined, dataDirectory })

test('a given secret is taken as it is, and nothing is written', async () => {
  const dataDirectory = scratchDirectory()
  const secret = await loadSecret({ secret: ' shindata\n', secretFile: undefined, dataDirectory })
  assert.deepEqual(secret, { value: ' shindata\n', madeUpIn: undefined })
  assert.deepEqual(readdirSync(dataDirectory), [])
})

test('the secret of a file is its content, less the end of its last line', async () => {
  const contents = {
    'shindata\n': 'shindata',
    'shindata\r\n': 'shindata',
    shindata: 'shindata',
    'a b \n\n': 'a b \n',
  }
  for (const [content, value] of Object.entries({ ...contents, '密码\n': '密码' })) {
    assert.deepEqual(await withFile(content), { value, madeUpIn: undefined })
  }
})

test('a file with nothing in it is an error that names the file', async () => {
  for (const content of ['', '\n', '\r\n'])
    await assert.rejects(withFile(content), /given: the secret is empty/)
})

test('a file that is missing is an error that names the file', async () => {
  const secretFile = join(scratchDirectory(), 'missing')
  const loading = loadSecret({ secret: undefined, secretFile, dataDirectory: '/nonexistent' })
  await assert.rejects(loading, /ENOENT.*missing/)
})

test('without a secret one is made up, long, for its owner alone, and said where', async t => {
  const umask = process.umask(0)
  t.after(() => process.umask(umask))
  const dataDirectory = scratchDirectory()
  const secret = await madeUpIn(dataDirectory)
  assert.equal(secret.madeUpIn, join(dataDirectory, 'secret'))
  assert.match(secret.value, /^[0-9a-f]{48}$/)
  assert.equal(statSync(secret.madeUpIn!).mode & 0o777, 0o600)
  assert.equal(readFileSync(secret.madeUpIn!, 'utf8'), `${secret.value}\n`)
})

test('a made-up secret is the same at the next start, and another in another directory', async () => {
  const [here, there] = [scratchDirectory(), scratchDirectory()]
  const first = await madeUpIn(here)
  assert.deepEqual(await madeUpIn(here), first)
  assert.notEqual((await madeUpIn(there)).value, first.value)
})

test('an empty file, which an agent that died or a full disk may leave behind, is filled again', async () => {
  const dataDirectory = scratchDirectory()
  writeFileSync(join(dataDirectory, 'secret'), '')
  assert.match((await madeUpIn(dataDirectory)).value, /^[0-9a-f]{48}$/)
})

test('a data directory that cannot be written is an error', async () => {
  await assert.rejects(madeUpIn('/nonexistent/directory'), { code: 'ENOENT' })
})
