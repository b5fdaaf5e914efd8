import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Checkout } from './bench.ts'
import { untilAnswered } from './http.ts'
import type { Target } from './load/load.ts'
import { startLogging, untilListening } from './log-file.ts'
import type { Scratch } from './scratch.ts'
import { SECRET, SIGN_TTL, signedHeaders, submissionTo } from './submission.ts'
import { importsWithout, type Part } from './without/parts.ts'

export interface AgentOptions {
  /** Where it keeps its data, its temporary files and its log. */
  home: string
  /** Any that is free when absent. */
  port?: number
  env?: Record<string, string>
  /** What of it is left out. */
  without?: Part | undefined
}

/** Starts an agent as users do, signatures and durable store on, and waits until it listens. */
export const startAgent = async (scratch: Scratch, checkout: Checkout, options: AgentOptions) => {
  const begin = performance.now()
  const child = launch(scratch, checkout, options)
  if (options.port !== undefined) await untilAnswered(`http://127.0.0.1:${options.port}/healthz`)
  const startMs = performance.now() - begin
  const { address, pid } = await untilListening(logOf(options.home), child)
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

    get: (path: string): Target => ({ url: address + path, headers, pid }),

    /** A submission, answered at the end of the job. */
    submission: (cmd: string): Target => submissionTo({ address, pid }, cmd),

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

const launch = (
  scratch: Scratch,
  { directory }: Checkout,
  { home, port = 0, env = {}, without }: AgentOptions,
) =>
  startLogging(
    scratch,
    [join(directory, 'runtime/node.sh'), ...importsWithout(without), 'runtime/main.ts'],
    logOf(home),
    {
      cwd: directory,
      env: {
        TMPDIR: join(home, 'tmp'),
        AGENT_DATA_DIR: join(home, 'data'),
        AGENT_PORT: String(port),
        AGENT_SECRET: SECRET,
        AGENT_SIGN_TTL: SIGN_TTL.text,
        ...env,
      },
    },
  )

const logOf = (home: string): string => join(home, 'log')

/** A store with history must not lose it again. */
export const KEEP_ALL = { AGENT_KEEP_JOBS: '100000000' }
