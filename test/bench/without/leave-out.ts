import { registerHooks } from 'node:module'
import { join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { PARTS, type Part } from './parts.ts'

// leave-out.ts?<part>: to be imported before the agent, of which it leaves out that part: modules of it are replaced by
// others of the same exports that do nothing, or the least that the rest needs.

const part = decodeURIComponent(new URL(import.meta.url).search.slice(1)) as Part
const root = join(import.meta.dirname, '../../..') + sep
const replaced = new Map(
  Object.entries(PARTS[part]).map(([path, stand]) => [
    path,
    pathToFileURL(join(import.meta.dirname, stand)).href,
  ]),
)
const unused = new Set(replaced.keys())

/** As the table of parts has it: the path of a file of the agent's, or the name of a package. */
const nameOf = (specifier: string, url: string): string =>
  url.startsWith('file:') && !url.includes('/node_modules/')
    ? fileURLToPath(url).replace(root, '')
    : specifier

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    // What stands in for a module may itself use it.
    if (context.parentURL?.includes('/bench/without/')) return found
    const name = nameOf(specifier, found.url)
    const url = replaced.get(name)
    if (url === undefined) return found
    unused.delete(name)
    return { ...found, url, format: 'module-typescript' }
  },
})

process.once('exit', code => {
  if (unused.size === 0 || code !== 0) return
  console.error(`without ${part}: nothing has imported ${[...unused].join(', ')}`)
  process.exitCode = 1
})
