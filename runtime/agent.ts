import { hash } from 'node:crypto'
import { join } from 'node:path'
import { createApp } from '../handlers/app.ts'
import { createClock } from '../lib/base/clock.ts'
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
import { openBallast } from '../lib/store/ballast.ts'
import { watchDataDirectory } from '../lib/store/data-directory.ts'
import { diskOf } from '../lib/store/disk.ts'
import { createHousekeeping } from '../lib/store/housekeeping.ts'
import { type Database, DatabaseLockedError, openDatabase } from '../lib/store/sqlite/database.ts'
import { createJobStore } from '../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../lib/store/sqlite/outputs.ts'
import { createRetention } from '../lib/store/sqlite/retention.ts'
import { createRoom } from '../lib/store/sqlite/room.ts'
import { sizeOnDisk } from '../lib/store/sqlite/size-on-disk.ts'
import packageJson from '../package.json' with { type: 'json' }
import { openAccess } from './access.ts'
import type { Config } from './config.ts'
import { letThrough, prepareDataDirectory } from './data-directory.ts'
import { createHostFacts } from './host.ts'
import { assertKept, tellLimits } from './limits.ts'
import { listen, listenForMetrics } from './listen.ts'
import { createOwnUse } from './own-use.ts'
import { createConsoleFiles } from './serve-console/console-files.ts'
import { orStartupError, StartupError } from './startup-error.ts'
import { createStatus } from './status.ts'
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
  const database = opened.adopt(openDatabaseOf(dataDirectory, log), one => one.close())
  const access = await openAccess(config, database, log, opened)
  const { audit } = access

  const clock = createClock()
  const processes = opened.adopt(await createProcesses({ log, groupName: groupNameOf(dataDirectory) }), one =>
    one.close(),
  )
  assertKept(config, processes.limitSupport())
  await orStartupError('AGENT_JOBS_*', async () => processes.limitAllJobs(config.allJobs))
  tellLimits(processes, config, log)
  // A user database may take its time.
  void tellUnknownUsers(processes, config, access.keys, log)
  const room = opened.adopt(createRoom({ database, log }), one => one.close())
  const jobStore = createJobStore(database, room)
  const outputStore = createOutputStore(database, room)
  const ballast = opened.adopt(
    await orStartupError(`AGENT_DATA_DIR=${dataDirectory}`, () =>
      openBallast(join(dataDirectory, 'ballast')),
    ),
    one => one.close(),
  )
  const goneDirectory = Promise.withResolvers<void>()
  const directory = opened.adopt(
    watchDataDirectory({ path: databasePath(dataDirectory), onGone: goneDirectory.resolve }),
    one => one.close(),
  )
  const hasRoom = () => ballast.isHeld() && room.isThere()
  const store = { isHeld: () => hasRoom() && !directory.isGone(), giveUp: ballast.giveUp }
  const retention = createRetention(database, config.keep)
  const events = createJobEvents(err => log.error({ err }, 'a listener to job events failed'))
  events.subscribe(logJobEvents(log))
  const changes = createJobChanges(events)
  const storeBytes = async () => {
    const { fileBytes, logBytes } = await sizeOnDisk(database.path)
    return fileBytes + logBytes
  }
  const metrics = createMetrics({
    version: packageJson.version,
    events,
    state: () => ({
      running: jobs.countRunning(),
      limit: config.maxRunning,
      isDraining: jobs.isDraining(),
      isStoreWritable: store.isHeld(),
      isAuditWritable: audit.isWritable(),
      isGuardianMissing: 'error' in processes.guardian(),
      guardianRestarts: processes.guardian().restarts,
    }),
    storeBytes: () => storeBytes().catch(() => 0),
  })
  const lifecycle = opened.adopt(
    createLifecycle({ jobStore, outputStore, retention, ballast: store, events, log }),
    one => one.close(),
  )
  await recover({ jobStore, outputStore, lifecycle, processes, clock, log })
  const scriptDirectory = join(dataDirectory, 'scripts')
  await orStartupError(`${scriptDirectory}: cannot be used`, () => openScriptDirectory(scriptDirectory))
  if (config.runAs.length > 0 && processes.userSupport() === undefined)
    await letThrough(dataDirectory, scriptDirectory, log)
  const reserve = opened.adopt(
    await orStartupError(`AGENT_DATA_DIR=${dataDirectory}`, () =>
      openBallast(join(dataDirectory, 'reserve'), { bytes: 4 * MB, enoughBytes: 32 * MB }),
    ),
    one => one.close(),
  )
  const housekeeping = opened.adopt(
    createHousekeeping({ retention, checkpoint: room.checkpoint, hasRoom, reserve, log }),
    one => one.close(),
  )
  housekeeping.start()

  const jobs = createJobs({
    slots: createSlots(config.maxRunning),
    lifecycle,
    jobStore,
    outputStore,
    retention,
    housekeeping,
    ballast: { isHeld: hasRoom },
    processes,
    clock,
    log,
    env,
    scriptDirectory,
    outputLimit: config.outputLimit,
    killGraceMs: config.killGraceMs,
    runAs: config.runAs,
    limits: { defaults: config.defaultLimits, most: config.maxLimits },
  })
  const lastJobWithoutStore = goneDirectory.promise.then(() => {
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
    void (timeoutMs === undefined ? lastJob : within(lastJob, timeoutMs)).then(() => drained.resolve())
  }

  const app = createApp({
    jobs,
    changes,
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
      store: () => (directory.isGone() ? 'gone' : hasRoom() ? 'ok' : 'full'),
    }),
    facts: createHostFacts({
      disk: () => diskOf(dataDirectory),
      storeBytes,
    }),
    history: history.read,
    drain,
    bodyLimit: config.bodyLimit,
    reportError: (err, requestId) => log.error({ err, requestId }, 'unexpected error'),
  })
  const { server, url } = await listen(config, app, log, opened)
  await listenForMetrics(config, metrics, log, opened)
  await audit.record({ action: 'agent', outcome: 'started', detail: packageJson.version })

  return {
    url,
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
      const lastJob = jobs.close(graceMs)
      changes.notify()
      await lastJob
      changes.close()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeIdleConnections()
      await within(closed, LAST_ANSWERS_MS)
      server.closeAllConnections()
      await audit.close()
      await opened.disposeAsync()
    },

    /** Makes a stop that is under way kill at once. */
    kill: (): Promise<void> => jobs.close(0),
  }
}

export type Agent = Awaited<ReturnType<typeof startAgent>>

const MB = 1024 ** 2

/** Only one agent at a time has a data directory. */
const groupNameOf = (directory: string): string => `newdt-auto-${hash('sha256', directory).slice(0, 12)}`

const databasePath = (directory: string): string => join(directory, 'newdt-auto.db')

/** Throws StartupError. */
const openDatabaseOf = (directory: string, log: Log): Database => {
  try {
    return openDatabase(databasePath(directory), log)
  } catch (error) {
    const reason = error instanceof DatabaseLockedError ? 'in use by another agent' : (error as Error).message
    throw new StartupError(`AGENT_DATA_DIR=${directory}: ${reason}`)
  }
}

/** How long answers that are being sent may take when everything has been stopped. */
const LAST_ANSWERS_MS = 1000
