import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { isScriptName, newScriptPath, removeScript, writeScript } from '../../../lib/jobs/script-file.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const range = (first: number, last: number) =>
  fc.integer({ min: first, max: last }).map(code => String.fromCodePoint(code))
const ascii = fc.constantFrom(...'ABCXYZabcxyz0123456789._-')
const cjk = fc.oneof(
  range(0x4e00, 0x9fff), // Han
  range(0x20000, 0x2a6df), // Han of which each takes two units of UTF-16
  range(0x3041, 0x3096), // Hiragana
  range(0x30a1, 0x30fa), // Katakana
  range(0xac00, 0xd7a3), // Hangul
)
const letters = fc.array(fc.oneof(ascii, cjk), { minLength: 1, maxLength: 100 })
/** Too long for the file system, three or four bytes a letter. */
const longLetters = fc.array(cjk, { minLength: 75, maxLength: 100 })
const validName = fc
  .oneof(letters, longLetters)
  .map(all => all.join(''))
  .filter(name => name !== '.' && name !== '..')

const FORBIDDEN = [...'/\\ \t\n\r\0\x1b\x7f"\'`$&|;<>()*?[]{}~#%@!:,=+^', 'é', 'ß', 'я', 'λ', 'ا', '／', '．']
const MORE_FORBIDDEN = ['😀', '\u202e', '\u200b', '\u3000', '\ud800', '\udc00', '。', '「', '…', '１']

test('letters, digits, dot, underscore, dash and CJK letters make a name, up to 100 of them', () => {
  fc.assert(
    fc.property(validName, name => {
      assert.ok(isScriptName(name))
    }),
  )
  assert.ok(isScriptName('中'.repeat(100)))
  assert.ok(isScriptName('𠀀'.repeat(100)))
})

test('a Japanese name may have the long vowel mark', () => {
  assert.ok(isScriptName('サーバー.sh'))
})

test('one character of another kind, wherever it is, spoils a name', () => {
  const wrong = fc.constantFrom(...FORBIDDEN, ...MORE_FORBIDDEN)
  fc.assert(
    fc.property(
      fc.array(ascii, { maxLength: 40 }),
      wrong,
      fc.array(cjk, { maxLength: 40 }),
      (one, bad, two) => {
        assert.equal(isScriptName([...one, bad, ...two].join('')), false)
      },
    ),
  )
})

test('no name, a directory, a way out and a name that is too long are refused', () => {
  for (const name of ['', '.', '..', '../../etc/cron.d/x', '/etc/passwd', 'a'.repeat(101), 'a'.repeat(300)]) {
    assert.equal(isScriptName(name), false, name)
  }
  assert.equal(isScriptName('中'.repeat(101)), false)
})

test('names that begin with a dot or a dash are names', () => {
  for (const name of ['...', '.profile', '-rf', '--', '_']) assert.ok(isScriptName(name), name)
})

test('every valid name gives a path in the directory that the file system can hold', () => {
  fc.assert(
    fc.property(validName, name => {
      const path = newScriptPath('/tmp', name)
      assert.equal(dirname(path), '/tmp')
      assert.match(basename(path), /^newdt-auto-\d{10}-./u)
      assert.ok(Buffer.byteLength(basename(path)) <= 255)
      const kept = basename(path).slice('newdt-auto-0123456789-'.length)
      assert.ok(Buffer.byteLength(name) > 255 - 22 ? name.endsWith(kept) : name === kept)
      assert.ok(kept.isWellFormed())
    }),
  )
})

test('two scripts of one name have different paths', () => {
  const paths = new Set(Array.from({ length: 100 }, () => newScriptPath('/tmp', 'a.sh')))
  assert.equal(paths.size, 100)
})

test('a script is written with its content, for its owner alone, whatever the umask', async () => {
  const directory = scratchDirectory()
  const umask = process.umask(0o777)
  try {
    for (const [index, mask] of [0o777, 0o077, 0].entries()) {
      process.umask(mask)
      const path = join(directory, `${index}-脚本.sh`)
      await writeScript(path, 'echo 你好\n\0')
      assert.equal(readFileSync(path, 'utf8'), 'echo 你好\n\0')
      assert.equal(statSync(path).mode & 0o7777, 0o700)
    }
  } finally {
    process.umask(umask)
  }
})

test('a script can be for another user, and for no other', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async () => {
  const path = join(scratchDirectory(), 'theirs.sh')
  await writeScript(path, 'secret', { uid: 65_534, gid: 12 })
  const { uid, gid, mode } = statSync(path)
  assert.deepEqual([uid, gid, mode & 0o7777], [65_534, 12, 0o700])
  assert.equal(readFileSync(path, 'utf8'), 'secret')
})

test('a script that cannot be given to its user is not left behind, nor ever has content', async () => {
  const directory = scratchDirectory()
  await assert.rejects(writeScript(join(directory, 'x.sh'), 'secret', { uid: -5, gid: 0 }))
  assert.deepEqual(readdirSync(directory), [])
})

test('a file that is there already is neither written nor changed', async () => {
  const path = join(scratchDirectory(), 'script')
  writeFileSync(path, 'mine', { mode: 0o644 })
  await assert.rejects(writeScript(path, 'theirs'), { code: 'EEXIST' })
  assert.equal(readFileSync(path, 'utf8'), 'mine')
  assert.equal(statSync(path).mode & 0o777, 0o644)
})

test('a planted symbolic link is not followed, whether or not it leads anywhere', async () => {
  const directory = scratchDirectory()
  const [target, nowhere, link, dangling] = ['target', 'nowhere', 'link', 'dangling'].map(name =>
    join(directory, name),
  ) as [string, string, string, string]
  writeFileSync(target, 'precious')
  symlinkSync(target, link)
  symlinkSync(nowhere, dangling)
  for (const path of [link, dangling]) {
    await assert.rejects(writeScript(path, 'theirs'), { code: 'EEXIST' })
    assert.ok(lstatSync(path).isSymbolicLink())
  }
  assert.equal(readFileSync(target, 'utf8'), 'precious')
  assert.equal(existsSync(nowhere), false)
})

test('a script is removed, and removing it again or removing a directory throws nothing', async () => {
  const directory = scratchDirectory()
  const path = join(directory, 'script')
  await writeScript(path, '')
  await removeScript(path)
  assert.equal(existsSync(path), false)
  await removeScript(path)
  mkdirSync(path)
  writeFileSync(join(path, 'inside'), '')
  await removeScript(path)
  assert.ok(existsSync(join(path, 'inside')))
})
