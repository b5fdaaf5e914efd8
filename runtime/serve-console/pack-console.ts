import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ConsoleFile } from '../../handlers/services.ts'
import { CONSOLE, FILES, type SourceFile } from './read-console.ts'

/**
 * What is served, by its path as ConsoleService has it: the page by "", all else below a directory whose name changes
 * with any of the files, so that a browser may keep them for good.
 */
export const packConsole = async (page: string, files: readonly SourceFile[]) => {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const hash = createHash('sha256')
  for (const { path, content } of [{ path: '', content: Buffer.from(page) }, ...sorted])
    hash.update(JSON.stringify([path, content.length])).update(content)
  const directory = `${hash.digest('hex').slice(0, 16)}/`

  const modules = sorted.filter(
    ({ type, isNeededFirst }) => isNeededFirst && type.startsWith('text/javascript'),
  )
  const preloads = modules.map(
    ({ path }) => `<link rel="modulepreload" href="${CONSOLE}${directory}${path}">`,
  )
  const html = page
    .replaceAll(`"${FILES}`, `"${CONSOLE}${directory}`)
    .replace('<!-- modules -->', preloads.join('\n'))

  const packed: [path: string, file: ConsoleFile][] = [
    ['', await pack(Buffer.from(html), 'text/html; charset=utf-8', true)],
  ]
  for (const { path, type, content } of sorted)
    packed.push([directory + path, await pack(content, type, false)])
  return packed
}

const pack = async (content: Buffer, type: string, isPage: boolean): Promise<ConsoleFile> => ({
  type,
  isPage,
  bytes: plain(content),
  gzipped: plain(await compress(content, { level: 9 })),
})

const compress = promisify(gzip)

/** A thread hands over whole buffers, and small ones of Node's share one. */
const plain = (bytes: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
