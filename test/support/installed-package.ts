import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT, withoutAgentSettings } from './agent.ts'

const run = promisify(execFile)

/** What a package is made of, and the files beside it that tools read. */
const SOURCES = ['handlers', 'lib', 'runtime', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE']

/** A clone below `directory`, with the repository's dependencies: what is made of it does not touch the repository. */
export const createClone = (directory: string): string => {
  const clone = join(directory, 'clone')
  for (const name of SOURCES) cpSync(join(ROOT, name), join(clone, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
  return clone
}

/** Packs a clone with npm, without any registry, and unpacks that; resolves with the directory of the package. */
export const packAndUnpack = async (clone: string, directory: string): Promise<string> => {
  const [packed, unpacked] = [join(directory, 'packed'), join(directory, 'unpacked')]
  for (const path of [packed, unpacked]) mkdirSync(path)
  await run('npm', ['pack', '--offline', '--pack-destination', packed], {
    cwd: clone,
    env: {
      ...outsideOfNpm(),
      ...NO_COMPILE_CACHE,
      TMPDIR: directory,
      npm_config_cache: join(directory, 'npm'),
    },
  })
  const [tarball] = readdirSync(packed)
  await run('tar', ['-xzf', join(packed, tarball!), '-C', unpacked])
  return join(unpacked, 'package')
}

/** Its place is the repository's own node_modules, which a clone here only borrows. */
export const NO_COMPILE_CACHE = { NODE_DISABLE_COMPILE_CACHE: '1' }

/** Puts the package at `path`, and what it depends on into `modules`, as npm would; gives the link to `newdt`. */
export const installPackage = (unpacked: string, path: string, modules: string): string => {
  cpSync(unpacked, path, { recursive: true })
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) linkModule(name, modules)
  const newdt = join(dirname(path), '.bin/newdt')
  mkdirSync(dirname(newdt), { recursive: true })
  symlinkSync('../newdt-auto/runtime/newdt', newdt)
  return newdt
}

/** The repository's own copy of a dependency; one for another processor leads nowhere. */
export const linkModule = (name: string, modules: string): void => {
  mkdirSync(dirname(join(modules, name)), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
}

/** The tests may run under npm, which tells a npm below it what is its own. */
export const outsideOfNpm = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(withoutAgentSettings(process.env)).filter(
      ([name]) => !/^(npm_|INIT_CWD$|NODE_COMPILE_CACHE$)/.test(name),
    ),
  )
