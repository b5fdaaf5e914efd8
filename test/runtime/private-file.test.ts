import assert from 'node:assert/strict'
import { chmodSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { readPrivateFile } from '../../runtime/private-file.ts'
import { scratchDirectory } from '../support/scratch.ts'

const read = (path: string): Promise<string> =>
  readPrivateFile(
    path,
    text => text,
    () => true,
  )

/** `<scratch>/upper/lower/file`. */
const newFile = () => {
  const upper = join(scratchDirectory(), 'upper')
  const lower = join(upper, 'lower')
  mkdirSync(lower, { recursive: true })
  const path = join(lower, 'file')
  writeFileSync(path, 'content', { mode: 0o600 })
  for (const directory of [upper, lower]) chmodSync(directory, 0o755)
  return { upper, lower, path }
}

test('a file is refused where a directory on the way may be written by a group or by others', async () => {
  const { upper, lower, path } = newFile()
  for (const directory of [upper, lower])
    for (const mode of [0o775, 0o757, 0o777]) {
      chmodSync(directory, mode)
      const message = `others may write the directory ${directory}; chmod go-w ${directory}`
      await assert.rejects(read(path), { message })
      await assert.rejects(read(relative(process.cwd(), path)), { message })
      chmodSync(directory, 0o755)
    }
  assert.equal(await read(path), 'content')
  chmodSync(lower, 0o1777)
  assert.equal(await read(path), 'content')
})

test('so it is where only a link between two links leads through such a directory', async () => {
  const { path } = newFile()
  const [middle, first] = [join(scratchDirectory(), 'middle'), join(scratchDirectory(), 'first')]
  mkdirSync(middle)
  symlinkSync(path, join(middle, 'second'))
  symlinkSync(join(relative(join(first, '..'), middle), 'second'), first)
  assert.equal(await read(first), 'content')
  chmodSync(middle, 0o777)
  await assert.rejects(read(first), { message: new RegExp(`others may write the directory ${middle};`) })
})

test('what is before `..` in a path may be a link: the way goes up from where it leads', async () => {
  const { upper, lower } = newFile()
  const [link, middle] = [join(scratchDirectory(), 'link'), join(upper, 'middle')]
  mkdirSync(middle)
  symlinkSync(middle, link)
  const asked = `${relative(process.cwd(), link)}/../lower/file`
  assert.equal(await read(`${link}/../lower/file`), 'content')
  assert.equal(await read(asked), 'content')
  chmodSync(lower, 0o777)
  await assert.rejects(read(asked), { message: new RegExp(`others may write the directory ${lower};`) })
})

test('links that lead to each other are no file', async () => {
  const directory = scratchDirectory()
  symlinkSync('one', join(directory, 'other'))
  symlinkSync('other', join(directory, 'one'))
  await assert.rejects(read(join(directory, 'one')), { code: 'ELOOP' })
})

test('a file is refused where a directory or a link on the way belongs to another account', {
  skip: process.getuid?.() !== 0 && 'only root can give a directory away',
}, async () => {
  const { upper, path } = newFile()
  const link = join(scratchDirectory(), 'link')
  symlinkSync(path, link)
  for (const [name, one, asked] of [
    [`the directory ${upper}`, upper, path],
    [`the directory ${upper}`, upper, link],
    [`the link ${link}`, link, link],
  ] as const) {
    lchownSync(one, 12_345, 12_345)
    await assert.rejects(read(asked), {
      message: new RegExp(`^${name} belongs to user 12345, .*; chown it to 0$`),
    })
    lchownSync(one, 0, 0)
    assert.equal(await read(asked), 'content')
  }
})

test('directories on the way may be written by a group that may, but never by others', async () => {
  const { upper, lower, path } = newFile()
  const { gid } = statSync(lower)
  const readFor = (group: number) =>
    readPrivateFile(
      path,
      text => text,
      () => true,
      asked => asked === group,
    )
  for (const directory of [upper, lower]) chmodSync(directory, 0o775)
  assert.equal(await readFor(gid), 'content')
  await assert.rejects(readFor(gid + 1), /others may write the directory/)
  chmodSync(lower, 0o777)
  await assert.rejects(readFor(gid), /others may write the directory/)
})
