import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')
const SOURCES = globSync('{handlers,lib,runtime}/**/*.ts', { cwd: ROOT })
const LAYERS = ['lib/process', 'lib', 'handlers', 'runtime']

const layerOf = (file: string): number => LAYERS.findIndex(layer => file.startsWith(`${layer}/`))
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1]!)

const usersOf = (pattern: RegExp): string[] => SOURCES.filter(file => pattern.test(read(file)))

test('imports go down only: runtime, handlers, lib, lib/process', () => {
  assert.ok(SOURCES.length > 40)
  for (const file of SOURCES) {
    for (const specifier of importsOf(file).filter(name => name.startsWith('.'))) {
      const imported = relative(ROOT, join(ROOT, dirname(file), specifier))
      assert.ok(layerOf(imported) <= layerOf(file), `${file} imports ${imported}`)
    }
  }
})

test('only the runtime knows node:http and process.env', () => {
  for (const file of usersOf(/node:https?'|process\.env/)) assert.ok(file.startsWith('runtime/'), file)
})

test('only lib/process knows koffi and node:child_process', () => {
  for (const file of usersOf(/'koffi'|node:child_process/)) assert.ok(file.startsWith('lib/process/'), file)
})

test('only one file knows node:sqlite', () => {
  assert.deepEqual(usersOf(/node:sqlite/), ['lib/store/sqlite/database.ts'])
})

test('every dependency is pinned to one exact version', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'))
  for (const [name, version] of Object.entries({
    ...dependencies,
    ...devDependencies,
    ...optionalDependencies,
  })) {
    assert.match(String(version), /^\d+\.\d+\.\d+$/, name)
  }
})
