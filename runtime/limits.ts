import type { Log } from '../lib/base/log.ts'
import { limitText } from '../lib/jobs/limits.ts'
import { LIMIT_NAMES, type LimitSupport, type Limits, type Processes } from '../lib/process/types.ts'
import type { Config } from './config.ts'
import { StartupError } from './startup-error.ts'

/** Throws StartupError for a setting that asks for a limit which this machine cannot keep: none is without effect. */
export const assertKept = (
  { defaultLimits, maxLimits, allJobs }: Pick<Config, 'defaultLimits' | 'maxLimits' | 'allJobs'>,
  support: LimitSupport,
): void => {
  const settings: [limits: Limits, nameOf: (name: string) => string][] = [
    [defaultLimits, name => `AGENT_DEFAULT_LIMITS: ${name}`],
    [maxLimits, name => `AGENT_MAX_LIMITS: ${name}`],
    [allJobs, name => `AGENT_JOBS_${name.toUpperCase()}`],
  ]
  for (const [limits, nameOf] of settings) {
    for (const name of LIMIT_NAMES) {
      const value = limits[name]
      if (value === undefined) continue
      const keeper = support[name]
      if ('missing' in keeper)
        throw new StartupError(`${nameOf(name)}: this machine cannot keep it: ${keeper.missing}`)
      if (value > (keeper.most ?? value))
        throw new StartupError(
          `${nameOf(name)}: this machine cannot keep more than ${limitText(name, keeper.most ?? value)}`,
        )
      if (limits === allJobs && !keeper.by.startsWith('cgroup'))
        throw new StartupError(`${nameOf(name)}: this machine cannot keep it: there is no cgroup for it`)
    }
  }
}

/** A line of the log on what jobs can be held to, and as whom they can run. */
export const tellLimits = (
  processes: Pick<Processes, 'limitSupport' | 'userSupport'>,
  { runAs }: Pick<Config, 'runAs'>,
  log: Log,
): void => {
  const support = Object.entries(processes.limitSupport())
  const kept = support.flatMap(([name, keeper]) => ('by' in keeper ? [[name, keeper.by]] : []))
  const missing = support.flatMap(([name, keeper]) => ('missing' in keeper ? [[name, keeper.missing]] : []))
  log.info({ kept: Object.fromEntries(kept), missing: Object.fromEntries(missing), runAs }, 'limits')
  const fault = processes.userSupport()
  if (runAs.length > 0 && fault !== undefined)
    log.warn({ runAs, missing: fault }, 'AGENT_RUN_AS is set, but the agent cannot run jobs as another user')
}
