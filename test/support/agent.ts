import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import { createSigner } from '../../lib/security/md5-signature.ts'
import { checkAnswersOf } from './checked-fetch.ts'
import { findByText, know, lives } from './proc.ts'
import { waitFor } from './wait-for.ts'

export const ROOT = join(import.meta.dirname, '../..')
export const SECRET = 'shindata'

/** A directory for the agent's data, and one where it and its jobs put temporary files. */
export const createHome = () => {
  const path = mkdtempSync(join(tmpdir(), 'test-newdt-'))
  homes.push(path)
  const home = { path, data: join(path, 'data'), temporary: mkdtempSync(join(path, 'tmp-')) }
  return {
    ...home,
    /** Nothing of an agent that lived here is left: no process, no temporary file. */
    async assertClean(): Promise<void> {
      await waitFor('every process of the agent is gone', () => findByText(path).length === 0)
      assert.deepEqual([...readdirSync(home.temporary), ...scriptsOf(home)], [])
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** What its jobs' scripts have left. */
export const scriptsOf = ({ data }: { data: string }): string[] => {
  const directory = join(data, 'scripts')
  return existsSync(directory) ? readdirSync(directory) : []
}

export type Home = ReturnType<typeof createHome>

export interface AgentOptions {
  env?: Record<string, string>
  /** How it is started; the agent itself by default. */
  command?: [file: string, ...args: string[]]
  /** Where it, and its jobs, are; the root of the repository by default. */
  cwd?: string
  /** How long it may take to start, in milliseconds. */
  deadlineMs?: number
}

// A test that fails must not leave its agent behind, nor keep the test process alive.
const children = new Set<ChildProcess>()
const homes: string[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  for (const path of homes) rmSync(path, { recursive: true, force: true })
})

/** Starts the real agent as a child process on a free port, and waits until it listens. */
export const startAgent = async (
  home: Home,
  { env = {}, command, cwd = ROOT, deadlineMs }: AgentOptions = {},
) => {
  const [file, ...args] = command ?? [process.execPath, join(ROOT, 'runtime/main.ts')]
  const child = spawn(file, args, {
    cwd,
    env: {
      ...withoutAgentSettings(process.env),
      TMPDIR: home.temporary,
      AGENT_DATA_DIR: home.data,
      AGENT_PORT: '0',
      AGENT_SECRET: SECRET,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  const output = collect(child)
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output() }))
  const listening = await waitFor(
    'the agent listens or ends',
    () => findListening(output().stdout) ?? hasEnded(child),
    deadlineMs,
  )
  if (listening === true) throw new AgentEndedError(await ended)

  const url = listening.address
  if (url.startsWith('http')) checkAnswersOf(url)
  const agent = know(listening.pid)
  return {
    url,
    pid: listening.pid,
    child,
    output,
    ended,
    lives: (): boolean => lives(agent),

    /** A signed request. */
    async fetch(path: string, init: RequestInit = {}): Promise<Response> {
      return fetch(url + path, {
        ...init,
        headers: { ...sign(), ...(init.headers as Record<string, string>) },
      })
    },

    /** A signed request; the whole envelope. */
    async call(path: string, init?: RequestInit): Promise<Envelope> {
      return (await (await this.fetch(path, init)).json()) as Envelope
    },

    /** Submits a command or a script; the job of the answer. */
    async execute(body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<JobJson> {
      const path = `/api/jobs/execute/${'cmd' in body ? 'cmd' : 'script'}`
      const { data } = await this.call(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
      return data as JobJson
    },

    async job(id: string, query = ''): Promise<JobJson> {
      return (await this.call(`/api/jobs/${id}${query}`)).data as JobJson
    },

    /** Ends it by a signal and waits for its end. */
    async end(signal: NodeJS.Signals = 'SIGTERM') {
      if (lives(agent)) process.kill(listening.pid, signal)
      return ended
    },
  }
}

export type RunningAgent = Awaited<ReturnType<typeof startAgent>>

export interface Envelope {
  code: number
  success: boolean
  msg: string
  /** Of a failure. */
  error?: string
  data: unknown
}

/** The agent did not come up. */
export class AgentEndedError extends Error {
  readonly code: number
  readonly stderr: string

  constructor({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) {
    super(`the agent ended with ${code}: ${stderr}${stdout}`)
    this.code = code
    this.stderr = stderr
  }
}

export const sign = (secret = SECRET): { sign: string; signAt: string } => {
  const signAt = String(Math.floor(Date.now() / 1000))
  return { sign: createSigner(secret).sign(signAt), signAt }
}

export const withoutAgentSettings = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== undefined && !/^(AGENT_|NODE_TEST)/.test(name)),
  ) as Record<string, string>

const collect = (child: ChildProcess) => {
  const text = { stdout: '', stderr: '' }
  child.stdout?.on('data', chunk => {
    text.stdout += chunk
  })
  child.stderr?.on('data', chunk => {
    text.stderr += chunk
  })
  return () => ({ ...text })
}

const hasEnded = (child: ChildProcess): true | undefined =>
  child.exitCode !== null || child.signalCode !== null || undefined

const findListening = (stdout: string): { address: string; pid: number } | undefined => {
  for (const line of stdout.split('\n')) {
    if (line.startsWith('{') && line.endsWith('"msg":"listening"}')) return JSON.parse(line)
  }
  return undefined
}
