import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { within } from '../../../lib/base/within.ts'
import { killGroup } from '../outcome.ts'

/** A command as it was typed, and what it printed. */
export interface Step {
  command: string
  output: Chunk[]
}

/** `atMs` after the command was started. */
export interface Chunk {
  atMs: number
  text: string
}

interface RecordOptions {
  columns: number
  rows: number
  cwd: string
  env: Record<string, string>
  deadlineMs: number
}

/** Runs the commands one by one, in one shell on a pseudo-terminal. */
export const record = async (
  commands: string[],
  { columns, rows, cwd, env, deadlineMs }: RecordOptions,
): Promise<Step[]> => {
  const child = spawn(
    'python3',
    [
      join(import.meta.dirname, 'on-terminal.py'),
      ...[columns, rows].map(String),
      'bash',
      '-c',
      shellOf(commands),
    ],
    { cwd, env: { ...env, TERM: 'xterm-256color' }, detached: true, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const chunks: Chunk[] = []
  const begin = performance.now()
  child.stdout.setEncoding('utf8').on('data', text => chunks.push({ atMs: performance.now() - begin, text }))
  try {
    const ended = await within(once(child, 'close'), deadlineMs)
    if (ended === undefined) throw new Error(`the session does not end within ${deadlineMs} ms`)
  } finally {
    killGroup(child.pid!)
  }
  return stepsOf(commands, chunks)
}

/** A control sequence that no terminal shows; it tells where a command begins. */
const MARK = '\x1b]newdt\x07'

/** `$?` is that of the command before. */
const shellOf = (commands: string[]): string =>
  commands.map(command => `status=$?; printf '${MARK}'; (exit $status)\n${command}\n`).join('')

export const stepsOf = (commands: string[], chunks: Chunk[]): Step[] => {
  const text = chunks.map(chunk => chunk.text).join('')
  const [, ...parts] = text.split(MARK)
  let offset = text.indexOf(MARK)
  return commands.map((command, index) => {
    const start = offset + MARK.length
    const end = start + (parts[index]?.length ?? 0)
    offset = end
    return { command, output: cut(chunks, start, end) }
  })
}

/** What lies between two characters, with times that begin at the first. */
const cut = (chunks: Chunk[], start: number, end: number): Chunk[] => {
  const pieces: Chunk[] = []
  let at = 0
  let beginMs: number | undefined
  for (const { atMs, text } of chunks) {
    if (at + text.length >= start) beginMs ??= atMs
    const piece = text.slice(Math.max(0, start - at), Math.max(0, end - at))
    if (piece !== '') pieces.push({ atMs: atMs - beginMs!, text: piece })
    at += text.length
  }
  return pieces
}
