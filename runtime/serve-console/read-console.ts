import { readFile } from 'node:fs/promises'
import { findPackageJSON, stripTypeScriptTypes } from 'node:module'
import { dirname, extname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { init, parse } from 'es-module-lexer'

/** A file of the console as it is served. */
export interface SourceFile {
  /** Below the directory of all of them, `lib/client/client.ts` or `packages/preact/dist/preact.mjs`. */
  path: string
  type: string
  content: Buffer
  /** Whether it is needed before anything can be shown. */
  isNeededFirst: boolean
}

/**
 * The console's page and all that it needs: what its page links to, and every module that its first one imports, at
 * once or later; those of installed packages below `packages/`. Modules have their types stripped, and import each
 * other by relative paths alone: a browser knows no other. Rejects for a file whose type is not known here.
 */
export const readConsole = async (page: string): Promise<{ page: string; files: SourceFile[] }> => {
  await init
  const files = new Map<string, SourceFile>()
  const text = await readFile(page, 'utf8')

  const addModule = async (file: string, isNeededFirst: boolean): Promise<void> => {
    const path = servedPath(file)
    const known = files.get(path)
    if (known && (known.isNeededFirst || !isNeededFirst)) return
    const source = await readFile(file, 'utf8')
    const code = file.endsWith('.ts') ? stripTypeScriptTypes(source) : source
    const { text, imports } = withRelativeImports(code, file)
    files.set(path, { path, type: MODULE_TYPE, content: Buffer.from(text), isNeededFirst })
    for (const { file, isDynamic } of imports) await addModule(file, isNeededFirst && !isDynamic)
  }

  for (const [, link] of text.matchAll(LINK)) {
    const file = fileOf(link!, page)
    if (/\.[mc]?[jt]s$/.test(file)) await addModule(file, true)
    else files.set(servedPath(file), await readAsset(file))
  }
  // In a package the modules are .js.
  const linked = text.replace(LINK, (_, link) => `="${FILES}${servedPath(fileOf(link, page))}"`)
  return { page: linked, files: [...files.values()] }
}

/** Where the agent serves them, below the page. */
export const CONSOLE = 'console/'
/** What a page links to by a path below FILES, which stands for the directory of all files. */
export const FILES = `${CONSOLE}files/`
const LINK = new RegExp(`="${FILES}([^"]+)"`, 'g')

const ROOT = join(import.meta.dirname, '../..')
const PACKAGES = 'packages/'

/** `packages/uplot/dist/uPlot.min.css` is of an installed package; all else is ours. */
const fileOf = (link: string, page: string): string => {
  if (link.startsWith(PACKAGES)) return resolvePackage(link.slice(PACKAGES.length), page)
  const file = join(ROOT, link)
  return import.meta.filename.endsWith('.js') ? file.replace(/\.ts$/, '.js') : file
}

const readAsset = async (file: string): Promise<SourceFile> => {
  const type = TYPES[extname(file)]
  if (type === undefined) throw new Error(`${file}: no type is known for ${extname(file)}`)
  return { path: servedPath(file), type, content: await readFile(file), isNeededFirst: true }
}

const MODULE_TYPE = 'text/javascript; charset=utf-8'
const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
}

/** The module as a browser takes it, and what it imports. */
const withRelativeImports = (code: string, file: string) => {
  const [found] = parse(code)
  const imports: { file: string; isDynamic: boolean }[] = []
  let text = ''
  let end = 0
  for (const { type, specifier, start, end: after } of found) {
    if (typeof specifier !== 'string') continue
    const imported = /^\.\.?\//.test(specifier)
      ? join(dirname(file), specifier)
      : resolvePackage(specifier, file)
    const isDynamic = type === 'dynamic'
    imports.push({ file: imported, isDynamic })
    const path = relative(dirname(servedPath(file)), servedPath(imported))
    const written = path.startsWith('.') ? path : `./${path}`
    // Of a dynamic one the quotes belong to it.
    text += code.slice(end, start) + (isDynamic ? JSON.stringify(written) : written)
    end = after
  }
  return { text: text + code.slice(end), imports }
}

const resolvePackage = (specifier: string, from: string): string =>
  fileURLToPath(import.meta.resolve(specifier, pathToFileURL(from).href))

/** A file of ours keeps its place; a package's is found below its name, wherever it is installed. */
const servedPath = (file: string): string => {
  const path = relative(ROOT, file)
  if (!path.startsWith('..') && !path.includes('node_modules/')) return path
  const packageJson = findPackageJSON(pathToFileURL(file))!
  const directory = dirname(packageJson)
  const name = directory.slice(directory.lastIndexOf('node_modules/') + 'node_modules/'.length)
  return `${PACKAGES}${name}/${relative(directory, file)}`
}
