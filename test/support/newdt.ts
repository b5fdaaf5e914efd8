import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { ROOT } from './agent.ts'
import { waitFor } from './wait-for.ts'

export interface NewdtOptions {
  env?: Record<string, string>
  /** What is written to its standard input, which is then closed; without it there is none. */
  input?: string | Uint8Array
  /** On a terminal of its own, where stdout and stderr are one. */
  terminal?: boolean
}

export interface NewdtEnd {
  /** 128 + n for a signal, as a shell has it. */
  code: number
  stdout: Buffer
  stderr: Buffer
}

// A test that fails must not leave one behind.
const children = new Set<ChildProcess>()
after(() => {
  for (const child of children) child.kill('SIGKILL')
})

/**
 * Starts the command line as its users do: as a process of its own, with no settings but those of `env`. An agent that
 * somebody runs on this machine has nothing to do with it: its secret would else be found.
 */
export const startNewdt = (args: string[], { env = {}, input, terminal = false }: NewdtOptions = {}) => {
  const command = [join(ROOT, 'runtime/newdt'), ...args]
  const [file, ...rest] = terminal ? ['python3', '-c', PTY, ...command] : command
  const child = spawn(file!, rest, {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: '/nonexistent',
      AGENT_DATA_DIR: '/nonexistent/data',
      TERM: 'xterm',
      ...env,
    },
    stdio: [input === undefined && !terminal ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  child.stdout?.on('data', chunk => chunks.stdout.push(chunk))
  child.stderr?.on('data', chunk => chunks.stderr.push(chunk))
  if (input !== undefined) child.stdin?.end(input)
  const text = () => Buffer.concat([...chunks.stdout, ...chunks.stderr]).toString()
  const ended: Promise<NewdtEnd> = once(child, 'close').then(([code, signal]) => ({
    code: code ?? 128 + constants.signals[signal as NodeJS.Signals],
    stdout: Buffer.concat(chunks.stdout),
    stderr: Buffer.concat(chunks.stderr),
  }))
  return {
    child,
    ended,
    text,
    /** Resolves when it has printed that. */
    printed: (pattern: RegExp): Promise<string> =>
      waitFor(`newdt ${args.join(' ')} prints ${pattern}`, () => pattern.test(text()) && text()).catch(
        error => {
          throw new Error(`${error.message}, but ${JSON.stringify(text())}`)
        },
      ),
    /** As if typed at its terminal. */
    type: (keys: string): void => void child.stdin?.write(keys),
  }
}

/** The same to its end, as text. */
export const newdt = async (args: string[], options?: NewdtOptions) => {
  const { code, stdout, stderr } = await startNewdt(args, options).ended
  return { code, stdout: stdout.toString(), stderr: stderr.toString() }
}

/** Runs a command on a pseudo-terminal, passes on what comes and goes, and ends as it does. */
const PTY = `
import os, pty, sys
status = pty.spawn(sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))
`
