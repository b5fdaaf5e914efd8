import { access, constants, mkdir, stat } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createApp } from '../handlers/app.ts'
import { createClock } from '../lib/base/clock.ts'
import type { Log } from '../lib/base/log.ts'
import { within } from '../lib/base/within.ts'
import { createJobEvents } from '../lib/jobs/events.ts'
import { createJobs } from '../lib/jobs/jobs.ts'
import { createLifecycle } from '../lib/jobs/lifecycle.ts'
import { logJobEvents } from '../lib/jobs/log-events.ts'
import { recover } from '../lib/jobs/recovery.ts'
import { createSlots } from '../lib/jobs/slots.ts'
import { createProcesses } from '../lib/process/platform.ts'
import { createAuthenticator } from '../lib/security/authenticator.ts'
import { createSignature } from '../lib/security/md5-signature.ts'
import { openBallast } from '../lib/store/ballast.ts'
import { watchDataDirectory } from '../lib/store/data-directory.ts'
import type { Retention } from '../lib/store/retention.ts'
import { type Database, DatabaseLockedError, openDatabase } from '../lib/store/sqlite/database.ts'
import { createJobStore } from '../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../lib/store/sqlite/outputs.ts'
import { createRetention } from '../lib/store/sqlite/retention.ts'
import packageJson from '../package.json' with { type: 'json' }
import type { Config } from './config.ts'
import { loadSecret } from './secret.ts'
import { createServer } from './server.ts'

/** The agent cannot start, for a reason that whoever starts it can mend; the message is one line. */
export class StartupError extends Error {}

/** Puts the agent together and starts it. Rejects with StartupError. */
export const startAgent = async (config: Config, env: Record<string, string>, log: Log) => {
  const { dataDirectory } = config
  await orStartupError(`AGENT_DATA_DIR=${dataDirectory}: cannot be written`, () =>
    makeDirectory(dataDirectory),
  )
  const { mode } = await stat(dataDirectory)
  if ((mode & 0o077) !== 0)
    log.warn({ dataDirectory }, 'the data directory is open to other users; it should have mode 0700')
  const database = await openOrStartupError(dataDirectory, log)
  const secretFile = config.secretFile ? `AGENT_SECRET_FILE=${config.secretFile}` : `${dataDirectory}/secret`
  const secret = await orStartupError(`${secretFile}: cannot be read`, () => loadSecret(config))
  const signature = createSignature({
    ...config,
    ttlMs: config.signTtlMs,
    secret: secret.value,
    now: Date.now,
  })

  const clock = createClock()
  const processes = await createProcesses(log)
  const jobStore = createJobStore(database)
  const outputStore = createOutputStore(database)
  const ballast = await openBallast(join(dataDirectory, 'ballast'))
  const storeGone = Promise.withResolvers<void>()
  const directory = watchDataDirectory({
    path: databasePath(dataDirectory),
    onGone() {
      log.error(
        { dataDirectory },
        'THE DATA DIRECTORY IS GONE, or another one is in its place: no job is taken any more, and the agent ends with the last that runs',
      )
      void jobs.settled().then(storeGone.resolve)
    },
  })
  const store = { isHeld: () => ballast.isHeld() && !directory.isGone(), giveUp: ballast.giveUp }
  const retention = createRetention(database, config.keep)
  const events = createJobEvents(err => log.error({ err }, 'a listener to job events failed'))
  events.subscribe(logJobEvents(log))
  const lifecycle = createLifecycle({ jobStore, outputStore, retention, ballast: store, events, log })
  await recover({ jobStore, outputStore, lifecycle, processes, clock, log })

  const jobs = createJobs({
    slots: createSlots(config.maxRunning),
    lifecycle,
    jobStore,
    outputStore,
    retention,
    ballast,
    processes,
    clock,
    log,
    env,
    scriptDirectory: resolve(tmpdir()),
    outputLimit: config.outputLimit,
    killGraceMs: config.killGraceMs,
  })
  const housekeeping = setInterval(() => keepHouse(retention, database, log), HOUSEKEEPING_MS)
  keepHouse(retention, database, log)

  const closeAll = (): void => {
    clearInterval(housekeeping)
    lifecycle.close()
    ballast.close()
    directory.close()
    database.close()
    processes.close()
  }

  const app = createApp({
    jobs,
    authenticator: createAuthenticator(signature),
    status: () => ({
      version: packageJson.version,
      running: jobs.countRunning(),
      limit: config.maxRunning,
      stopping: jobs.isClosing(),
      guardian: processes.guardian(),
      store: { state: directory.isGone() ? 'gone' : ballast.isHeld() ? 'ok' : 'full' },
    }),
    bodyLimit: config.bodyLimit,
    reportError: (err, requestId) => log.error({ err, requestId }, 'unexpected error'),
  })
  const server = createServer({ fetch: app, log })
  await orStartupError(`AGENT_HOST=${config.host} AGENT_PORT=${config.port}: cannot listen`, async () => {
    const listening = Promise.withResolvers<void>()
    server.once('error', listening.reject).listen(config.port, config.host, listening.resolve)
    await listening.promise
  }).catch(error => {
    closeAll()
    throw error
  })

  return {
    url: urlOf(server.address() as AddressInfo),
    secretFile: secret.madeUpIn,
    sign: signature.sign,
    countRunning: jobs.countRunning,
    /** Resolves when the data directory is gone and no job runs any more: there is nothing left to do here. */
    storeGone: storeGone.promise,

    /** Stops all jobs, answers whoever waits for one, closes everything. */
    async stop(graceMs: number): Promise<void> {
      await jobs.close(graceMs)
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeIdleConnections()
      await within(closed, LAST_ANSWERS_MS)
      server.closeAllConnections()
      closeAll()
    },

    /** Makes a stop that is under way kill at once. */
    kill: (): Promise<void> => jobs.close(0),
  }
}

export type Agent = Awaited<ReturnType<typeof startAgent>>

/** mkdir's own `recursive` never ends in /proc. */
const makeDirectory = async (path: string): Promise<void> => {
  const isThere = await access(path, constants.W_OK).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return false
    },
  )
  if (isThere) return
  const parent = dirname(path)
  if (
    !(await access(parent).then(
      () => true,
      () => false,
    ))
  )
    await makeDirectory(parent)
  await mkdir(path, { mode: 0o700 })
}

const databasePath = (directory: string): string => join(directory, 'newdt-auto.db')

const openOrStartupError = async (directory: string, log: Log) => {
  try {
    return openDatabase(databasePath(directory), log)
  } catch (error) {
    if (error instanceof DatabaseLockedError) {
      throw new StartupError(`AGENT_DATA_DIR=${directory}: in use by another agent`)
    }
    throw new StartupError(`AGENT_DATA_DIR=${directory}: ${(error as Error).message}`)
  }
}

const orStartupError = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
  try {
    return await action()
  } catch (error) {
    throw new StartupError(`${what}: ${(error as Error).message}`)
  }
}

const keepHouse = (retention: Retention, database: Database, log: Log): void => {
  try {
    // A few at a time: the loop must breathe.
    if (retention.prune(Date.now()) > 0) return void setImmediate(keepHouse, retention, database, log)
    retention.giveBack()
    database.checkpoint()
  } catch (err) {
    log.error({ err }, 'housekeeping failed')
  }
}

const urlOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`

const HOUSEKEEPING_MS = 60_000
/** How long answers that are being sent may take when everything has been stopped. */
const LAST_ANSWERS_MS = 1000
