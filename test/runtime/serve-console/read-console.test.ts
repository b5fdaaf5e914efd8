import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { before, test } from 'node:test'
import { init, parse } from 'es-module-lexer'
import { readConsole, type SourceFile } from '../../../runtime/serve-console/read-console.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PAGE = join(ROOT, 'runtime/console/index.html')

let files: Map<string, SourceFile>
before(async () => {
  await init
  files = new Map((await readConsole(PAGE)).files.map(file => [file.path, file]))
})

const modules = () =>
  [...files.values()]
    .filter(({ type }) => type.startsWith('text/javascript'))
    .map(file => ({ ...file, text: file.content.toString() }))

test('every module that one imports is there, by a relative path', () => {
  assert.ok(modules().length > 30)
  for (const { path, text } of modules()) {
    for (const { specifier } of parse(text)[0]) {
      if (typeof specifier !== 'string') continue
      assert.match(specifier, /^\.\.?\//, path)
      assert.ok(files.has(posix.join(posix.dirname(path), specifier)), `${path} imports ${specifier}`)
    }
  }
})

test('no module has types left in it', () => {
  // A browser's own parser: it knows no types.
  for (const { path, text } of modules())
    assert.doesNotMatch(text, /^(import|export) type\b|^interface /m, path)
})

test('what is imported later is not needed first, nor is what that alone imports', () => {
  const first = new Set<string>()
  const visit = (path: string): void => {
    if (first.has(path)) return
    first.add(path)
    for (const { type, specifier } of parse(files.get(path)!.content.toString())[0])
      if (type === 'static' && specifier) visit(posix.join(posix.dirname(path), specifier))
  }
  visit('runtime/console/main.ts')
  assert.deepEqual(
    modules()
      .filter(({ isNeededFirst }) => isNeededFirst)
      .map(({ path }) => path)
      .sort(),
    [...first].sort(),
  )
})

test('nothing of the agent is served but the console, the client, and packages', () => {
  for (const path of files.keys())
    assert.match(path, /^(runtime\/console|lib\/client|packages\/[\w@-]+)\//, path)
})

/** What a page that links to one file beside it is read as. */
const readWith = async (name: string, content: Uint8Array) => {
  const directory = scratchDirectory()
  writeFileSync(join(directory, name), content)
  const page = join(directory, 'index.html')
  const link = relative(ROOT, join(directory, name))
  writeFileSync(page, `<link rel="icon" href="console/files/${link}">`)
  return (await readConsole(page)).files
}

test('a picture is read as it is, byte for byte, and has its type', async () => {
  const picture = readFileSync(join(ROOT, 'docs/console/jobs.png'))
  const [file] = await readWith('icon.png', picture)
  assert.equal(file?.type, 'image/png')
  assert.deepEqual(file.content, picture)
})

test('a file whose type nobody has said is refused, by name', async () => {
  await assert.rejects(readWith('icon.ico', new Uint8Array(1)), {
    message: /icon\.ico: no type is known for \.ico$/,
  })
})
