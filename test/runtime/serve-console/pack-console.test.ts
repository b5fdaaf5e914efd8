import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { packConsole } from '../../../runtime/serve-console/pack-console.ts'
import type { SourceFile } from '../../../runtime/serve-console/read-console.ts'

const PAGE = '<link href="console/files/a.css">\n<!-- modules -->\n<script src="console/files/main.ts">'

const js = (path: string, text: string, isNeededFirst = true): SourceFile => ({
  path,
  type: 'text/javascript; charset=utf-8',
  content: Buffer.from(text),
  isNeededFirst,
})
const FILES: SourceFile[] = [
  js('main.ts', 'import "./b.ts"'),
  js('b.ts', 'export {}'),
  js('later.ts', 'export const later = 1', false),
  { path: 'a.css', type: 'text/css; charset=utf-8', content: Buffer.from('p {}'), isNeededFirst: true },
]

const pack = async (page = PAGE, files = FILES) => new Map(await packConsole(page, files))
const textOf = async (files: ReturnType<typeof pack>, path: string) =>
  new TextDecoder().decode((await files).get(path)?.bytes)

test('the page links to each file where it is, and to what is needed first before it is asked for', async () => {
  const files = await pack()
  const page = new TextDecoder().decode(files.get('')!.bytes)
  const links = [...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link!)
  assert.deepEqual(
    links.map(link => link.replace(/^console\/[0-9a-f]{16}\//, '')),
    ['a.css', 'b.ts', 'main.ts', 'main.ts'],
  )
  for (const link of links) assert.ok(files.has(link.replace('console/', '')), link)
  assert.equal(files.size, FILES.length + 1)
})

test('where the files are changes with each of them and with the page, not with their order', async () => {
  const directoryOf = async (...args: Parameters<typeof pack>) =>
    [...(await pack(...args)).keys()][1]!.split('/')[0]
  const first = await directoryOf()
  assert.equal(await directoryOf(PAGE, FILES.toReversed()), first)
  assert.notEqual(await directoryOf(`${PAGE} `), first)
  for (const index of FILES.keys()) {
    const changed = FILES.with(index, {
      ...FILES[index]!,
      content: Buffer.concat([FILES[index]!.content, Buffer.from(' ')]),
    })
    assert.notEqual(await directoryOf(PAGE, changed), first)
  }
})

test('a file that is no text is served byte for byte', async () => {
  const content = Buffer.from([0x89, 0x50, 0xff, 0xfe, 0])
  const files = await pack(PAGE, [{ path: 'a.png', type: 'image/png', content, isNeededFirst: true }])
  assert.deepEqual(Buffer.from([...files.values()][1]!.bytes), content)
})

test('what is compressed is the same', async () => {
  for (const { bytes, gzipped } of (await pack()).values()) {
    assert.deepEqual(new Uint8Array(gunzipSync(gzipped)), bytes)
    assert.equal(bytes.buffer.byteLength, bytes.byteLength)
  }
  assert.equal(await textOf(pack(), ''), await textOf(pack(), ''))
})
