import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSigner } from '../../lib/security/md5-signature.ts'
import { waitFor } from '../support/wait-for.ts'
import type { Bench, Checkout } from './bench.ts'
import { untilAnswered } from './http.ts'
import type { Target } from './load/load.ts'
import type { Scratch } from './scratch.ts'

export interface AgentOptions {
  /** Where it keeps its data, its temporary files and its log. */
  home: string
  /** Any that is free when absent. */
  port?: number
  env?: Record<string, string>
}

/** Starts an agent as users do, signatures and durable store on, and waits until it listens. */
export const startAgent = async (scratch: Scratch, checkout: Checkout, options: AgentOptions) => {
  const begin = performance.now()
  const child = launch(scratch, checkout, options)
  if (options.port !== undefined) await untilAnswered(`http://127.0.0.1:${options.port}/healthz`)
  const startMs = performance.now() - begin
  const { address, pid } = await listening(options.home, () => child.exitCode !== null)
  if (pid !== child.pid) scratch.adopt(pid)
  const headers = signedHeaders()

  /** Sends a request; the `data` of the answer. */
  const call = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const response = await fetch(address + path, { ...init, headers })
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}`)
    return ((await response.json()) as { data: T }).data
  }
  return {
    name: checkout.name,
    url: address,
    pid,
    headers,
    /** Until its first answer; only meant to be used where the port was given. */
    startMs,
    call,

    get: (path: string): Target => ({ url: address + path, headers }),

    /** A submission, answered at the end of the job. */
    submission: (cmd: string, async = false): Target => ({
      url: `${address}/api/jobs/execute/cmd`,
      method: 'POST',
      headers,
      body: JSON.stringify({ cmd, async }),
    }),

    submit: (cmd: string, async = false): Promise<{ id: string; pid: number }> =>
      call('/api/jobs/execute/cmd', { method: 'POST', body: JSON.stringify({ cmd, async }) }),

    async end(): Promise<void> {
      await scratch.end(pid)
      await scratch.end(child.pid)
    },
  }
}

export type Agent = Awaited<ReturnType<typeof startAgent>>

/** One of each checkout, on stores of `history` jobs. */
export const startAgents = ({ checkouts, ...bench }: Bench, history = 0): Promise<Agent[]> =>
  Promise.all(
    checkouts.map(async checkout => {
      const home = createHome(
        bench.scratch,
        history === 0 ? undefined : await bench.histories.pathOf(checkout, history),
      )
      return startAgent(bench.scratch, checkout, { home, env: history === 0 ? {} : KEEP_ALL })
    }),
  )

/** With the given database, or none. */
export const createHome = (scratch: Scratch, database?: string): string => {
  const home = scratch.directory('agent')
  mkdirSync(join(home, 'data'), { mode: 0o700 })
  mkdirSync(join(home, 'tmp'))
  if (database !== undefined) copyFileSync(database, join(home, 'data/newdt-auto.db'))
  return home
}

const launch = (scratch: Scratch, { directory }: Checkout, { home, port = 0, env = {} }: AgentOptions) => {
  const log = openSync(join(home, 'log'), 'w')
  try {
    return scratch.start(join(directory, 'runtime/node.sh'), ['runtime/main.ts'], {
      cwd: directory,
      env: {
        TMPDIR: join(home, 'tmp'),
        AGENT_DATA_DIR: join(home, 'data'),
        AGENT_PORT: String(port),
        AGENT_SECRET: SECRET,
        AGENT_SIGN_TTL: '1d',
        ...env,
      },
      stdio: ['ignore', log, log],
    })
  } finally {
    closeSync(log)
  }
}

/** What it logs when it listens; `pid` is its own, whatever has started it. */
const listening = (home: string, hasEnded: () => boolean): Promise<{ address: string; pid: number }> =>
  waitFor('the agent listens', () => {
    const log = readFileSync(join(home, 'log'), 'utf8')
    const line = log.split('\n').find(text => text.endsWith('"msg":"listening"}'))
    if (line === undefined && hasEnded()) throw new Error(`the agent has ended: ${log.trim()}`)
    return line === undefined ? undefined : JSON.parse(line)
  })

const signedHeaders = (): Record<string, string> => {
  const signAt = String(Math.floor(Date.now() / 1000))
  return { sign: createSigner(SECRET).sign(signAt), signAt, 'Content-Type': 'application/json' }
}

/** A store with history must not lose it again. */
export const KEEP_ALL = { AGENT_KEEP_JOBS: '100000000' }

export const SECRET = 'benchmark'
