import { flushCompileCache } from 'node:module'
import { concealMemory } from '../lib/process/linux/conceal-memory.ts'
import { eraseFromEnvironment } from '../lib/process/linux/erase.ts'
import { loadProcesses } from '../lib/process/platform.ts'
import packageJson from '../package.json' with { type: 'json' }
import { type Agent, startAgent } from './agent.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import type { EarlySignals } from './early-signals.ts'
import { jobEnvironment } from './environment.ts'
import { refuseInspector } from './inspector.ts'
import { createLogger } from './log.ts'
import { StartupError } from './startup-error.ts'

/** Does what the command line asks for: an agent, unless there is an argument. Exits with 1 when there can be none. */
export const run = async (signals: EarlySignals): Promise<void> => {
  try {
    const args = process.argv.slice(2)
    if (args.length === 0) await runAgent(signals)
    else await printVersion(args)
  } catch (error) {
    const lines =
      error instanceof ConfigError
        ? error.mistakes
        : [error instanceof StartupError ? error.message : String(error)]
    process.stderr.write(lines.map(line => `newdt-auto: ${line}\n`).join(''))
    process.exit(1)
  }
}

const runAgent = async (signals: EarlySignals): Promise<void> => {
  refuseInspector()
  const config = readConfig(process.env)
  const env = jobEnvironment(process.env)
  await hideSecrets(env)
  const { log, flush, print } = await createLogger(config.logLevel, process.stdout.isTTY)

  const exit = (code: number): void => {
    void flush().finally(() => process.exit(code))
  }
  let agent: Agent | undefined

  /** Nothing can be trusted any more, but the jobs must not outlive the agent. */
  let hasCrashed = false
  const crash = (err: unknown): void => {
    // What fails while the agent crashes is no news, and must not make it begin again.
    if (hasCrashed) return
    hasCrashed = true
    log.fatal({ err }, 'the agent ends by an error that nobody expected')
    setTimeout(exit, LAST_SECONDS_MS, 1)
    void (agent?.kill() ?? Promise.resolve()).finally(() => exit(1))
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)

  let isStopping = false
  const stop = (signal?: string): void => {
    if (isStopping) return
    isStopping = true
    log.info({ signal, running: agent?.countRunning() ?? 0 }, 'stopping')
    setTimeout(exit, config.killGraceMs + LAST_SECONDS_MS, 1)
    const stopped = agent?.stop(config.killGraceMs) ?? Promise.resolve()
    stopped.then(() => {
      log.info({}, 'stopped')
      exit(0)
    }, crash)
  }
  // Before anybody can know that there is an agent to be stopped.
  onStopSignal(stop, () => agent?.kill())

  try {
    agent = await startAgent(config, env, log)
    // Afterwards: an ordinary user's agent could not open its own files in /proc any more.
    await concealMemory()
  } catch (error) {
    await flush()
    throw error
  }
  void agent.storeGone.then(() => agent?.stop(0)).finally(() => exit(1))
  void agent.drained.then(() => stop())
  announce(agent, config, log, print)
  signals.onDrain(() => agent?.drain('SIGUSR2'))
  // Node writes it at its exit, but an agent may be killed.
  setTimeout(flushCompileCache, SETTLED_MS).unref()
}

/** Takes the settings out of this process's environment, also as `ps` and /proc show it, and npm's PATH. */
const hideSecrets = async (env: Record<string, string>): Promise<void> => {
  const names = Object.keys(process.env).filter(name => name.startsWith('AGENT_'))
  await eraseFromEnvironment(names)
  for (const name of names) delete process.env[name]
  if (env.PATH !== undefined) process.env.PATH = env.PATH // Programs are looked up in it.
}

const announce = (
  agent: Agent,
  { dataDirectory, maxRunning, hasConsole }: Config,
  log: { info(o: object, m: string): void },
  print: (text: string) => void,
) => {
  const secretFile = agent.secretFile && { secretFile: agent.secretFile }
  log.info({ address: agent.url, dataDirectory, maxRunning, ...secretFile }, 'listening')
  if (!process.stdout.isTTY || !agent.sign || !agent.url.startsWith('http')) return
  const signAt = String(Math.floor(Date.now() / 1000))
  print(
    `${hasConsole ? `\nFor a browser: ${agent.url}/\n` : ''}\nTry it (the signature is valid for a while):\n\n` +
      `curl -X POST '${agent.url}/api/jobs/execute/cmd' -H 'sign: ${agent.sign(signAt)}' -H 'signAt: ${signAt}' ` +
      `-H 'Content-Type: application/json' -d '{"cmd": "echo hello from $(hostname)"}'\n\n`,
  )
}

/**
 * A terminal and npm both deliver Ctrl-C, a millisecond apart: only a signal that comes later than that means
 * that somebody has lost patience.
 */
const onStopSignal = (stop: (signal: string) => void, kill: () => unknown): void => {
  let first: number | undefined
  // Each time all processes are looked through: a key that is held down would make the end wait.
  let hasKilled = false
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.on(signal, () => {
      if (first === undefined) {
        first = performance.now()
        stop(signal)
      } else if (performance.now() - first > IMPATIENCE_MS && !hasKilled) {
        hasKilled = true
        kill()
      }
    })
  }
}

const IMPATIENCE_MS = 1000
/** When the first requests need nothing more to be compiled. */
const SETTLED_MS = 2000
/** What an end may take beyond the grace period. */
const LAST_SECONDS_MS = 1900

/**
 * Loads all that an agent needs, and with it has Node compile and keep that: `npm ci` does so, and the first start is
 * as fast as the next. There are no other arguments, for settings come from the environment.
 */
const printVersion = async (args: string[]): Promise<void> => {
  if (args.join(' ') !== '--version') {
    throw new StartupError(
      `${args.join(' ')}: unknown argument; only --version is known, settings are AGENT_*`,
    )
  }
  await loadProcesses()
  process.stdout.write(`newdt-auto ${packageJson.version}, Node ${process.versions.node}\n`)
}
