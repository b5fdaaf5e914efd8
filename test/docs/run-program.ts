import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { within } from '../../lib/base/within.ts'
import { DeadlineError, killGroup, type Outcome } from './outcome.ts'

interface ProgramOptions {
  cwd: string
  env: Record<string, string>
  deadlineMs: number
}

/** Runs a program that reads its source from the standard input. */
export const runProgram = async (
  [file, ...args]: [string, ...string[]],
  source: string,
  { cwd, env, deadlineMs }: ProgramOptions,
): Promise<Outcome> => {
  const child = spawn(file, args, { cwd, env, detached: true, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  child.stdin.on('error', () => {}) // It may end without having read all.
  child.stdin.end(source)
  try {
    const ended = await within(once(child, 'close'), deadlineMs)
    if (ended === undefined) throw new DeadlineError(deadlineMs, output)
    return { output, status: ended[0] ?? 128 }
  } finally {
    killGroup(child.pid!)
  }
}
