import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { within } from '../../lib/base/within.ts'
import { DeadlineError, killGroup, type Outcome } from './outcome.ts'

export interface BashSession {
  /** Runs what a reader would paste into the same shell. */
  run(code: string, deadlineMs: number): Promise<Outcome>
  /** Ends it, and what it has started in the background. */
  end(): Promise<void>
}

interface SessionOptions {
  cwd: string
  env: Record<string, string>
  /** Where the blocks and what they print are put. */
  scratch: string
}

/**
 * One bash for several blocks of code, each from a file of its own, so that a block that reads its standard input
 * does not read the next one. It prints to a file, which holds all of it when the block has ended.
 */
export const startBash = ({ cwd, env, scratch }: SessionOptions): BashSession => {
  const directory = mkdtempSync(join(scratch, 'blocks-'))
  const bash = spawn('bash', ['--norc', '-c', LOOP], {
    cwd,
    env,
    detached: true, // A process group of its own, to end all of it.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const ended = once(bash, 'exit')
  const blocks = bash.stdio[3] as Writable
  const statuses = bash.stdio[4] as Readable
  blocks.on('error', () => {}) // It has ended; that is told by `ended`.
  let count = 0
  let isOver = false

  /** A block that says `exit` ends the session. */
  const statusOfEnd = async (): Promise<number> => {
    const [code, signal] = await ended
    isOver = true
    return signal === null ? code : 128
  }

  return {
    async run(code, deadlineMs) {
      if (isOver) throw new Error('comes behind one that has ended the shell')
      const file = join(directory, String(count++))
      writeFileSync(file, `${code}\n`)
      writeFileSync(`${file}.out`, '')
      blocks.write(`${file}\n`)
      const answered = once(statuses, 'data').then(([chunk]) => Number(String(chunk)))
      const output = (): string => readFileSync(`${file}.out`, 'utf8')
      const status = await within(Promise.race([answered, statusOfEnd()]), deadlineMs)
      if (status === undefined) throw new DeadlineError(deadlineMs, output())
      return { output: output(), status }
    },

    async end() {
      killGroup(bash.pid!)
      await ended
    },
  }
}

const LOOP = `
while IFS= read -r -u 3 NEWDT_BLOCK; do
  source "$NEWDT_BLOCK" >>"$NEWDT_BLOCK.out" 2>&1 3<&- 4>&-
  echo $? >&4
done`
