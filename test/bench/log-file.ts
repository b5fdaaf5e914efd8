import type { SpawnOptions } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { waitFor } from '../support/wait-for.ts'
import type { Scratch } from './scratch.ts'

/** Starts a process that logs to this file. */
export const startLogging = (
  scratch: Scratch,
  [file, ...args]: [file: string, ...args: string[]],
  path: string,
  options: SpawnOptions = {},
) => {
  const log = openSync(path, 'w')
  try {
    return scratch.start(file, args, { ...options, stdio: ['ignore', log, log] })
  } finally {
    closeSync(log)
  }
}

/** What a server logs when it listens; `pid` is its own, whatever has started it. */
export const untilListening = (
  path: string,
  child: { exitCode: number | null },
): Promise<{ address: string; pid: number }> =>
  waitFor('the server listens', () => {
    const log = readFileSync(path, 'utf8')
    const line = log.split('\n').find(text => text.endsWith('"msg":"listening"}'))
    if (line === undefined && child.exitCode !== null) throw new Error(`the server has ended: ${log.trim()}`)
    return line === undefined ? undefined : JSON.parse(line)
  })
