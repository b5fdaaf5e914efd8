import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')
const SOURCES = globSync('{handlers,lib,runtime}/**/*.ts', { cwd: ROOT }).sort()

/**
 * What the files of a room may import besides each other: rooms, and single files of rooms. A file is in the room
 * with the longest name that fits, and each file must be in one.
 */
const ROOMS: Record<string, string[]> = {
  'lib/base': [],
  'lib/process': ['lib/base', 'lib/process/linux', 'lib/process/node'],
  'lib/process/linux': ['lib/base', 'lib/process'],
  'lib/process/node': ['lib/base', 'lib/process'],
  'lib/security': ['lib/base', 'lib/store/nonce-store.ts'],
  'lib/store': ['lib/base', 'lib/jobs/job.ts', 'lib/process/types.ts'],
  'lib/store/sqlite': ['lib/base', 'lib/store', 'lib/jobs/job.ts', 'lib/process/types.ts'],
  'lib/output': ['lib/base', 'lib/jobs/job.ts', 'lib/process/types.ts', 'lib/store/output-store.ts'],
  'lib/jobs': ['lib/base', 'lib/output', 'lib/process', 'lib/security', 'lib/store'],
  'lib/metrics': ['lib/base', 'lib/jobs'],
  'lib/client': ['handlers'],
  'lib/fleet': ['lib/client'],
  'lib/notify': ['lib/base', 'lib/jobs', 'lib/security', 'lib/store'],
  'runtime/nats': [
    'handlers',
    'lib',
    'package.json',
    'runtime/private-file.ts',
    'runtime/request-target.ts',
    'runtime/startup-error.ts',
  ],
  'runtime/notify': [
    'handlers',
    'lib',
    'lib/store/sqlite',
    'package.json',
    'runtime/private-file.ts',
    'runtime/regular-file.ts',
    'runtime/startup-error.ts',
    'runtime/watch-files.ts',
  ],
  'runtime/console': ['lib/client'],
  handlers: [
    'lib/base',
    'lib/jobs',
    'lib/metrics/history.ts',
    'lib/notify/callback-url.ts',
    'lib/output',
    'lib/process',
    'lib/security',
    'lib/store',
  ],
  runtime: [
    'handlers',
    'lib',
    'lib/process/linux',
    'lib/store/sqlite',
    'runtime/nats',
    'runtime/notify',
    'package.json',
  ],
}

const roomOf = (file: string): string | undefined =>
  Object.keys(ROOMS)
    .filter(room => file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0]

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** The files of ours that a file imports, types included. */
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(match =>
    relative(ROOT, join(ROOT, dirname(file), match[1]!)),
  )

const mayImport = (file: string, imported: string): boolean => {
  const [room, target] = [roomOf(file)!, roomOf(imported) ?? imported]
  if (room === target) return true
  return ROOMS[room]!.some(
    allowed => allowed === target || allowed === imported || (allowed === 'lib' && isInRoomOfLib(target)),
  )
}

/** Not a room within a room: those are named one by one. */
const isInRoomOfLib = (room: string): boolean => /^lib\/[^/]+$/.test(room)

const usersOf = (pattern: RegExp): string[] => SOURCES.filter(file => pattern.test(read(file)))

test('every file is in a room', () => {
  assert.ok(SOURCES.length > 60)
  assert.deepEqual(
    SOURCES.filter(file => roomOf(file) === undefined),
    [],
  )
})

test('no room imports from one that it must not know', () => {
  const wrong = SOURCES.flatMap(file =>
    importsOf(file)
      .filter(imported => !mayImport(file, imported))
      .map(imported => `${file} imports ${imported}`),
  )
  assert.deepEqual(wrong, [])
})

test('no files import each other in a circle, types included', () => {
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file)) return
    done.add(file)
    for (const imported of importsOf(file)) visit(imported, [...path, file])
  }
  for (const file of SOURCES) visit(file, [])
  assert.deepEqual(circles, [])
})

/** What is loaded with a file, and with what that loads. */
const loadedWith = (file: string, loaded = new Set<string>()): Set<string> => {
  if (loaded.has(file) || !file.endsWith('.ts')) return loaded
  loaded.add(file)
  for (const [, imported] of read(file).matchAll(/^(?:import|export) (?:\{[^}]*\} from )?'(\.[^']+)'/gm)) {
    loadedWith(relative(ROOT, join(ROOT, dirname(file), imported!)), loaded)
  }
  return loaded
}

test('what makes the OpenAPI document is not loaded before somebody asks for it', () => {
  const loaded = [...loadedWith('runtime/agent-process.ts')]
  assert.ok(loaded.length > 100 && loaded.includes('handlers/agent/get-openapi.ts'))
  assert.deepEqual(
    loaded.filter(file => file.startsWith('handlers/openapi/')),
    [],
  )
  for (const file of usersOf(/'zod-openapi'/)) assert.ok(file.startsWith('handlers/openapi/'), file)
})

test('nothing of a fleet is loaded by an agent that is in none', () => {
  const loaded = [...loadedWith('runtime/agent-process.ts')]
  assert.ok(loaded.includes('runtime/nats/settings.ts'))
  assert.deepEqual(
    loaded.filter(file => /'@nats-io\//.test(read(file).replaceAll(/^import type .*$/gm, ''))),
    [],
  )
})

test('what sends callbacks is not loaded where there are none', () => {
  const loaded = loadedWith('runtime/agent-process.ts')
  const senders = usersOf(/'(undici|standardwebhooks)'/)
  assert.ok(senders.length > 0 && loaded.has('runtime/notify/open-notify.ts'))
  for (const file of senders) assert.ok(!loaded.has(file), file)
})

test('the client knows only the types of the handlers, and nothing that a browser has not', () => {
  for (const file of SOURCES.filter(file => file.startsWith('lib/client/'))) {
    for (const [line] of read(file).matchAll(/^(?:import|export)\b.*from '.*'$/gm)) {
      assert.match(line, /^(import|export) type\b|'\.\/[\w-]+\.ts'$/, `${file}: ${line}`)
    }
    assert.doesNotMatch(read(file), /node:|\bBuffer\b|\bprocess\./, file)
  }
})

test('only the runtime knows node:http and process.env', () => {
  for (const file of usersOf(/node:https?'|process\.env/)) assert.ok(file.startsWith('runtime/'), file)
})

test('only what is of a fleet knows the library of its engine, and only what sends callbacks theirs', () => {
  for (const file of usersOf(/'@nats-io\//))
    assert.match(file, /^(lib\/fleet|runtime\/nats)\/|^runtime\/cli\/(connect-engine|open-fleet)\.ts$/, file)
  for (const file of usersOf(/'standardwebhooks'/)) assert.ok(file.startsWith('runtime/notify/'), file)
})

test('only lib/process knows koffi and node:child_process', () => {
  for (const file of usersOf(/'koffi'|node:child_process/)) assert.ok(file.startsWith('lib/process/'), file)
})

test('only lib/store/sqlite knows SQL and node:sqlite', () => {
  for (const file of usersOf(/node:sqlite|\.prepare\(|\b(SELECT|INSERT INTO|DELETE FROM)\b/)) {
    assert.ok(file.startsWith('lib/store/sqlite/'), file)
  }
})

test('lib, but for the client and what carries HTTP over a fleet, knows nothing of HTTP: no status, no header', () => {
  for (const file of usersOf(/\bstatus: [1-5]\d\d\b|'(Retry-After|Content-Type|Allow)'/)) {
    assert.ok(!/^lib\/(?!client\/|fleet\/)/.test(file), file)
  }
})

test('every dependency is pinned to one exact version', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'))
  for (const [name, version] of Object.entries({
    ...dependencies,
    ...devDependencies,
    ...optionalDependencies,
  })) {
    assert.match(String(version), /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
  }
})
