import type { AgentStatus } from '../handlers/services.ts'
import type { Clock } from '../lib/base/clock.ts'
import { formatTimestamp } from '../lib/base/timestamp.ts'
import type { Processes } from '../lib/process/types.ts'
import type { Audit } from '../lib/security/audit.ts'
import packageJson from '../package.json' with { type: 'json' }
import type { Config } from './config.ts'

export interface StatusOptions {
  config: Pick<Config, 'maxRunning' | 'defaultLimits' | 'maxLimits' | 'runAs'>
  clock: Pick<Clock, 'now'>
  jobs: { countRunning(): number; isClosing(): boolean; isDraining(): boolean }
  processes: Pick<Processes, 'guardian' | 'limitSupport' | 'userSupport'>
  audit: Pick<Audit, 'isWritable'>
  guesses(): AgentStatus['guesses']
  store(): AgentStatus['store']['state']
  fleet(): AgentStatus['fleet']
}

/** Tells of an agent that starts now. */
export const createStatus = (options: StatusOptions) => {
  const { config, clock, jobs, processes, audit, guesses, store, fleet } = options
  const startTime = formatTimestamp(clock.now())
  return (): AgentStatus => ({
    version: packageJson.version,
    startTime,
    running: jobs.countRunning(),
    limit: config.maxRunning,
    stopping: jobs.isClosing(),
    draining: jobs.isDraining(),
    guesses: guesses(),
    guardian: processes.guardian(),
    audit: { state: audit.isWritable() ? 'ok' : 'failing' },
    store: { state: store() },
    fleet: fleet(),
    limits: processes.limitSupport(),
    users: usersOf(processes),
    defaultLimits: config.defaultLimits,
    maxLimits: config.maxLimits,
    runAs: config.runAs,
  })
}

const usersOf = ({ userSupport }: Pick<Processes, 'userSupport'>): AgentStatus['users'] => {
  const missing = userSupport()
  return missing === undefined ? { possible: true } : { missing }
}
