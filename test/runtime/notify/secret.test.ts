import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { loadNotifySecrets, makeUpNotifySecret } from '../../../runtime/notify/secret.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const secretOf = (bytes: number, fill = 7): string => `whsec_${Buffer.alloc(bytes, fill).toString('base64')}`

test('where no file is given a secret is made up, for the account alone, once', async () => {
  const dataDirectory = scratchDirectory()
  const options = { secretFile: undefined, dataDirectory }
  const path = join(dataDirectory, 'notify-secret')
  writeFileSync(path, '', { mode: 0o600 }) // As an agent left it that had no space.
  await makeUpNotifySecret(options)
  const [secret] = await loadNotifySecrets(options)
  assert.equal(readFileSync(path, 'utf8'), `${secret}\n`)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.doesNotThrow(() => new Webhook(secret!))
  await makeUpNotifySecret(options)
  assert.deepEqual(await loadNotifySecrets(options), [secret])
  // Only when an agent starts: what is taken away later is missing.
  rmSync(path)
  await assert.rejects(loadNotifySecrets(options), { code: 'ENOENT' })
})

test('an empty file that others may read or have open does not become the secret', async () => {
  const dataDirectory = scratchDirectory()
  const path = join(dataDirectory, 'notify-secret')
  writeFileSync(path, '')
  chmodSync(path, 0o666)
  const others = openSync(path, 'r')
  writeFileSync(`${path}.new`, 'half of a sec')
  await makeUpNotifySecret({ secretFile: undefined, dataDirectory })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(readFileSync(others, 'utf8'), '')
  closeSync(others)
  assert.equal((await loadNotifySecrets({ secretFile: undefined, dataDirectory })).length, 1)
  assert.deepEqual(readdirSync(dataDirectory), ['notify-secret'])
})

test('a given file has one secret, or several, each on a line', async () => {
  const secretFile = join(scratchDirectory(), 'secret')
  const load = (text: string) => {
    writeFileSync(secretFile, text, { mode: 0o600 })
    return loadNotifySecrets({ secretFile, dataDirectory: '/nowhere' })
  }
  assert.deepEqual(await load(`${secretOf(24)}\r\n\n${secretOf(64)}\n`), [secretOf(24), secretOf(64)])
  for (const text of [
    'SECRET',
    secretOf(23),
    secretOf(65),
    secretOf(32).slice(6),
    `${secretOf(32)} `,
    'whsec_SECRET',
    `whsec_${'S'.repeat(41)}`,
  ]) {
    await assert.rejects(load(text), (error: Error) => {
      assert.match(
        error.message,
        /secret: a secret must be whsec_ and the base64 of 24 to 64 bytes, alone on its line$/,
      )
      assert.ok(!error.message.includes('SECRET') && !error.message.includes(text))
      return true
    })
  }
  await assert.rejects(load('\n'), /the secret is empty/)
  await assert.rejects(load(`${secretOf(24)}\n`.repeat(5)), /more than 4 secrets/)
})

test('a file that others may read is refused', async () => {
  const secretFile = join(scratchDirectory(), 'secret')
  writeFileSync(secretFile, secretOf(24))
  chmodSync(secretFile, 0o644)
  await assert.rejects(loadNotifySecrets({ secretFile, dataDirectory: '/' }), /others may read/)
})
