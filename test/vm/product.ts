import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const FILES = ['package.json', 'handlers', 'lib', 'runtime']

/** Copies what `git clone` and `npm ci --omit=dev` would give, without what Node has compiled here. */
export const copyProduct = (target: string): void => {
  mkdirSync(target, { recursive: true })
  for (const path of [...FILES, ...productionModules()]) {
    cpSync(join(ROOT, path), join(target, path), { recursive: true, verbatimSymlinks: true })
  }
}

interface Lock {
  packages: Record<string, { dev?: boolean }>
}

const productionModules = (): string[] => {
  const { packages }: Lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev && existsSync(join(ROOT, path)))
    .map(([path]) => path)
}
