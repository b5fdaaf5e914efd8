import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Target } from './load/load.ts'
import type { Scratch } from './scratch.ts'

const PROGRAMS = join(import.meta.dirname, 'programs')

/** Runs one of the small programs to its end; the JSON that it printed. */
export const runProgram = async <T>(scratch: Scratch, name: string, args: (string | number)[]): Promise<T> =>
  JSON.parse(await outputOf(scratch, process.execPath, [join(PROGRAMS, name), ...args.map(String)]))

/** Starts one of the small programs, which serves from then on, at the URL that it printed. */
export const startProgram = async (scratch: Scratch, name: string, args: string[] = []): Promise<Target> => {
  const child = scratch.start(process.execPath, [join(PROGRAMS, name), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout! })
  for await (const url of lines) return { url, pid: child.pid }
  throw new Error(`${name} has ended`)
}

/** Runs a command to its end; its standard output. Rejects if it fails. */
export const outputOf = async (
  scratch: Scratch,
  file: string,
  args: string[],
  onStarted?: (child: ChildProcess) => void,
): Promise<string> => {
  const child = scratch.start(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  onStarted?.(child)
  const closed = once(child, 'close')
  const [output, errors] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  const [code, signal] = await closed
  await scratch.end(child.pid)
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ended with ${code ?? signal}: ${errors.trim()}`)
  return output
}
