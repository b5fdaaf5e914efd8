import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { run as runTests } from 'node:test'
import { spec } from 'node:test/reporters'
import { createImage } from './image.ts'
import { whatIsMissing } from './requirements.ts'
import { createResults } from './results.ts'
import { prepareSystem } from './system.ts'

const CASES = join(import.meta.dirname, 'cases')
const TEST_DEADLINE_MS = 15 * 60_000

const say = (text: string): void => {
  process.stderr.write(`vm: ${text}\n`)
}

/** The files whose names are given; all of them when none is. */
const filesOf = (names: string[]): string[] => {
  const files = globSync(join(CASES, '*.ts')).sort()
  const unknown = names.find(name => !files.some(file => basename(file, '.ts') === name))
  if (unknown !== undefined) {
    throw new Error(
      `${unknown}: no such file in test/vm/cases, which has ${files.map(file => basename(file, '.ts')).join(', ')}`,
    )
  }
  return names.length === 0 ? files : files.filter(file => names.includes(basename(file, '.ts')))
}

const main = async (names: string[]): Promise<void> => {
  const files = filesOf(names)
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'newdt-auto-vm')
  const system = await prepareSystem(cache, say)
  const directory = mkdtempSync(join(cache, 'run-'))
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  try {
    say('makes the disk')
    await createImage(system, directory)
    process.env.VM_IMAGE = directory
    await runFiles(files, stop.signal)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** One machine at a time: it is slow enough. */
const runFiles = async (files: string[], signal: AbortSignal): Promise<void> => {
  const results = createResults()
  const events = runTests({ files, concurrency: 1, timeout: TEST_DEADLINE_MS, signal })
  events.on('test:pass', results.passed)
  events.on('test:fail', results.failed)
  events.on('test:diagnostic', results.figure)
  for await (const text of events.compose(new spec())) process.stdout.write(text)
  process.stdout.write(results.table())
  if (results.hasFailure()) process.exitCode = 1
}

const missing = whatIsMissing()
if (missing !== undefined) say(`skipped, ${missing}`)
else await main(process.argv.slice(2))
