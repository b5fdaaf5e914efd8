import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../handlers/app.ts'
import { createClock } from '../lib/base/clock.ts'
import { countDown } from '../lib/base/count-down.ts'
import type { Log } from '../lib/base/log.ts'
import { within } from '../lib/base/within.ts'
import { createJobChanges } from '../lib/jobs/changes.ts'
import { createJobEvents } from '../lib/jobs/events.ts'
import { createJobs } from '../lib/jobs/jobs.ts'
import { createLifecycle } from '../lib/jobs/lifecycle.ts'
import { logJobEvents } from '../lib/jobs/log-events.ts'
import { recover } from '../lib/jobs/recovery.ts'
import { openScriptDirectory } from '../lib/jobs/script-directory.ts'
import { createSlots } from '../lib/jobs/slots.ts'
import { createHistory } from '../lib/metrics/history.ts'
import { createMetrics } from '../lib/metrics/metrics.ts'
import { createProcesses } from '../lib/process/platform.ts'
import { createSigner } from '../lib/security/md5-signature.ts'
import { diskOf } from '../lib/store/disk.ts'
import packageJson from '../package.json' with { type: 'json' }
import { openAccess } from './access.ts'
import type { Config } from './config.ts'
import { letThrough, prepareDataDirectory } from './data-directory.ts'
import { createHostFacts } from './host.ts'
import { joinFleet } from './join-fleet.ts'
import { assertKept, tellLimits } from './limits.ts'
import { listen, listenForMetrics } from './listen.ts'
import type { FleetMember } from './nats/fleet-member.ts'
import { openNotify } from './notify/open-notify.ts'
import { openStore } from './open-store.ts'
import { createOwnUse } from './own-use.ts'
import { createConsoleFiles } from './serve-console/console-files.ts'
import { orStartupError } from './startup-error.ts'
import { createStatus } from './status.ts'
import { tellShortSecrets } from './tell-short-secrets.ts'
import { tellUnknownUsers } from './users.ts'

/** Starts an agent. Rejects with StartupError; then everything that was opened is closed again. */
export const startAgent = async (config: Config, env: Record<string, string>, log: Log) => {
  const opened = new AsyncDisposableStack()
  try {
    return await putTogether(config, env, log, opened)
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/** `opened` gets what must be closed, in the reverse order. */
const putTogether = async (
  config: Config,
  env: Record<string, string>,
  log: Log,
  opened: AsyncDisposableStack,
) => {
  const { dataDirectory } = config
  await orStartupError(`AGENT_DATA_DIR=${dataDirectory}: cannot be written`, () =>
    prepareDataDirectory(dataDirectory, config.runAs.length > 0, log),
  )
  const store = await openStore(config, log, opened)
  const { database, room, jobStore, outputStore, retention } = store
  const access = await openAccess(config, database, log, opened)
  const { audit } = access
  if (config.fleet) tellShortSecrets(access.keys, log)

  const clock = createClock()
  const processes = opened.adopt(await createProcesses({ log, groupName: groupNameOf(dataDirectory) }), one =>
    one.close(),
  )
  assertKept(config, processes.limitSupport())
  await orStartupError('AGENT_JOBS_*', async () => processes.limitAllJobs(config.allJobs))
  tellLimits(processes, config, log)
  // A user database may take its time.
  void tellUnknownUsers(processes, config, access.keys, log)
  const events = createJobEvents(err => log.error({ err }, 'a listener to job events failed'))
  events.subscribe(logJobEvents(log))
  const changes = createJobChanges(events)
  let fleet: FleetMember | undefined
  const metrics = createMetrics({
    version: packageJson.version,
    events,
    state: () => ({
      running: jobs.countRunning(),
      limit: config.maxRunning,
      isDraining: jobs.isDraining(),
      isStoreWritable: store.ballast.isHeld(),
      isAuditWritable: audit.isWritable(),
      isFleetConnected: fleet?.isConnected(),
      isGuardianMissing: 'error' in processes.guardian(),
      guardianRestarts: processes.guardian().restarts,
    }),
    storeBytes: () => store.bytes().catch(() => 0),
    waiting: () => notify.waiting(),
    isInFleet: config.fleet !== undefined,
  })
  const notify = await openNotify({
    config: config.notify,
    dataDirectory,
    host: config.fleet?.name ?? hostname(),
    hasFleet: config.fleet !== undefined,
    database,
    room,
    processes,
    env,
    count: metrics.delivery,
    log,
    opened,
  })
  const { outgoing } = notify
  const lifecycle = opened.adopt(
    createLifecycle({ jobStore, outputStore, retention, ballast: store.ballast, events, outgoing, log }),
    one => one.close(),
  )
  await recover({ jobStore, outputStore, lifecycle, processes, clock, log })
  await notify.begin()
  const scriptDirectory = join(dataDirectory, 'scripts')
  await orStartupError(`${scriptDirectory}: cannot be used`, () => openScriptDirectory(scriptDirectory))
  if (config.runAs.length > 0 && processes.userSupport() === undefined)
    await letThrough(dataDirectory, scriptDirectory, log)
  const housekeeping = await store.startHousekeeping()

  const jobs = createJobs({
    slots: createSlots(config.maxRunning),
    lifecycle,
    jobStore,
    outputStore,
    retention,
    housekeeping,
    ballast: { isHeld: store.hasRoom },
    processes,
    clock,
    log,
    env,
    scriptDirectory,
    outputLimit: config.outputLimit,
    killGraceMs: config.killGraceMs,
    runAs: config.runAs,
    limits: { defaults: config.defaultLimits, most: config.maxLimits },
    mayNotify: notify.mayNotify,
  })
  const lastJobWithoutStore = store.gone.then(() => {
    log.error(
      { dataDirectory },
      'THE DATA DIRECTORY IS GONE, or another one is in its place: no job is taken any more, and the agent ends with the last that runs',
    )
    return jobs.settled()
  })

  const history = opened.adopt(
    createHistory({ events, now: clock.now, running: jobs.countRunning, use: createOwnUse() }),
    one => one.close(),
  )
  const drained = Promise.withResolvers<void>()
  const drain = (): void => {
    if (jobs.isDraining()) return
    const timeoutMs = config.drainTimeoutMs
    log.info({ running: jobs.countRunning(), timeoutMs }, 'draining')
    const lastJob = jobs.drain()
    changes.notify()
    fleet?.update()
    void (timeoutMs === undefined ? lastJob : within(lastJob, timeoutMs)).then(() => drained.resolve())
  }

  const app = createApp({
    jobs,
    changes,
    notifications: notify.ofJob,
    authenticator: access.authenticator,
    audit,
    metrics,
    console: config.hasConsole ? createConsoleFiles() : undefined,
    status: createStatus({
      config,
      clock,
      jobs,
      processes,
      audit,
      guesses: access.authenticator.counts,
      store: store.state,
      fleet: () => fleet?.state() ?? null,
    }),
    facts: createHostFacts({
      disk: () => diskOf(dataDirectory),
      storeBytes: store.bytes,
    }),
    history: history.read,
    drain,
    bodyLimit: config.bodyLimit,
    reportError: (err, requestId) => log.error({ err, requestId }, 'unexpected error'),
  })
  const http =
    config.port === 'off' ? undefined : await listen({ ...config, port: config.port }, app, log, opened)
  await listenForMetrics(config, metrics, log, opened)
  await audit.record({ action: 'agent', outcome: 'started', detail: packageJson.version })
  fleet = opened.adopt(
    await joinFleet(config, {
      fetch: app,
      jobs,
      events,
      notify,
      useUp: access.useUp,
      metrics,
      log,
    }),
    one => one?.close(),
  )

  return {
    url: http?.url ?? `nats:${config.fleet?.name}`,
    secretFile: access.madeUpIn,
    /** The contract's signature; undefined where no key has a secret of its own. */
    sign: access.secret === undefined ? undefined : createSigner(access.secret).sign,
    countRunning: jobs.countRunning,
    /** Resolves when the data directory is gone and no job runs any more: there is nothing left to do here. */
    storeGone: lastJobWithoutStore,

    /** For a signal: takes no new jobs; calling it again does nothing. */
    drain(signal: string): void {
      void audit.record({ action: 'drain', outcome: 'done', detail: signal })
      drain()
    },
    /** Resolves when a drain is over: the last job has ended, or the time for it has. */
    drained: drained.promise,

    /** Stops all jobs, answers whoever waits for one, closes everything. */
    async stop(graceMs: number): Promise<void> {
      const left = countDown(graceMs + LAST_WORDS_MS)
      const lastJob = jobs.close(graceMs)
      changes.notify()
      fleet?.update()
      await lastJob
      changes.close()
      await Promise.all([http?.close(), fleet?.close(left())])
      await audit.close()
      await opened.disposeAsync()
    },

    /** Makes a stop that is under way kill at once. */
    kill: (): Promise<void> => jobs.close(0),
  }
}

export type Agent = Awaited<ReturnType<typeof startAgent>>

/** Only one agent at a time has a data directory. */
const groupNameOf = (directory: string): string => `newdt-auto-${hash('sha256', directory).slice(0, 12)}`

/** How long the fleet may take to be told, when the jobs have used up their grace period: less than the process has. */
const LAST_WORDS_MS = 1300
