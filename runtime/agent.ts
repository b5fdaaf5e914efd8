import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type SecureContextOptions, Server as TlsServer } from 'node:tls'
import { createApp } from '../handlers/app.ts'
import { createClock } from '../lib/base/clock.ts'
import type { Log } from '../lib/base/log.ts'
import { within } from '../lib/base/within.ts'
import { createJobEvents } from '../lib/jobs/events.ts'
import type { JobRequest } from '../lib/jobs/job.ts'
import { createJobs } from '../lib/jobs/jobs.ts'
import { createLifecycle } from '../lib/jobs/lifecycle.ts'
import { logJobEvents } from '../lib/jobs/log-events.ts'
import { commandLine } from '../lib/jobs/program.ts'
import { recover } from '../lib/jobs/recovery.ts'
import { openScriptDirectory } from '../lib/jobs/script-directory.ts'
import { createSlots } from '../lib/jobs/slots.ts'
import { createProcesses } from '../lib/process/platform.ts'
import { openAudit } from '../lib/security/audit.ts'
import type { AuditEntry } from '../lib/security/audit-line.ts'
import { createAuditText } from '../lib/security/audit-submission.ts'
import { createAuthenticationFailures } from '../lib/security/authentication-failures.ts'
import { createAuthenticator } from '../lib/security/authenticator.ts'
import { createGuessLimiter } from '../lib/security/guess-limiter.ts'
import { createSigner } from '../lib/security/md5-signature.ts'
import { createNonces } from '../lib/security/nonces.ts'
import { openBallast } from '../lib/store/ballast.ts'
import { watchDataDirectory } from '../lib/store/data-directory.ts'
import { createHousekeeping } from '../lib/store/housekeeping.ts'
import { type Database, DatabaseLockedError, openDatabase } from '../lib/store/sqlite/database.ts'
import { createJobStore } from '../lib/store/sqlite/jobs.ts'
import { createNonceStore } from '../lib/store/sqlite/nonces.ts'
import { createOutputStore } from '../lib/store/sqlite/outputs.ts'
import { createRetention } from '../lib/store/sqlite/retention.ts'
import packageJson from '../package.json' with { type: 'json' }
import type { Config } from './config.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { loadKeys, watchKeys } from './keys.ts'
import { isLoopback } from './loopback.ts'
import { createServer } from './server.ts'
import { loadTls, watchTls } from './tls.ts'

/** The agent cannot start, for a reason that whoever starts it can mend; the message is one line. */
export class StartupError extends Error {}

/** Starts an agent. Rejects with StartupError; then everything that was opened is closed again. */
export const startAgent = async (config: Config, env: Record<string, string>, log: Log) => {
  const opened = new DisposableStack()
  try {
    return await putTogether(config, env, log, opened)
  } catch (error) {
    opened.dispose()
    throw error
  }
}

/** `opened` gets what must be closed, in the reverse order. */
const putTogether = async (
  config: Config,
  env: Record<string, string>,
  log: Log,
  opened: DisposableStack,
) => {
  const { dataDirectory } = config
  await orStartupError(`AGENT_DATA_DIR=${dataDirectory}: cannot be written`, () =>
    prepareDataDirectory(dataDirectory, log),
  )
  const database = opened.adopt(openDatabaseOf(dataDirectory, log), one => one.close())
  const { keys, secret, madeUpIn, version } = await orStartupError(keyFilesOf(config), () => loadKeys(config))
  const authenticator = createAuthenticator(keys, {
    ...config,
    ttlMs: config.signTtlMs,
    now: Date.now,
    nonces: createNonces({ store: createNonceStore(database), now: Date.now }),
  })
  const audit = opened.adopt(
    await orStartupError(`${dataDirectory}/audit.jsonl: cannot be written`, () =>
      openAudit({ directory: dataDirectory, log }),
    ),
    one => void one.close(),
  )
  const failures = opened.adopt(createAuthenticationFailures(audit), one => one.close())
  const auditText = createAuditText(config.auditsCommands)
  const describe = (request: JobRequest): Partial<AuditEntry> =>
    auditText({ ...request, commandLine: commandLine(request.cmd, request.params) })
  const guessLimiter = createGuessLimiter(authenticator)
  opened.adopt(watchKeys({ ...config, version, onKeys: authenticator.use, audit, log }), one => one.close())

  const clock = createClock()
  const processes = opened.adopt(await createProcesses(log), one => one.close())
  const jobStore = createJobStore(database)
  const outputStore = createOutputStore(database)
  const ballast = opened.adopt(await openBallast(join(dataDirectory, 'ballast')), one => one.close())
  const goneDirectory = Promise.withResolvers<void>()
  const directory = opened.adopt(
    watchDataDirectory({ path: databasePath(dataDirectory), onGone: goneDirectory.resolve }),
    one => one.close(),
  )
  const store = { isHeld: () => ballast.isHeld() && !directory.isGone(), giveUp: ballast.giveUp }
  const retention = createRetention(database, config.keep)
  const events = createJobEvents(err => log.error({ err }, 'a listener to job events failed'))
  events.subscribe(logJobEvents(log))
  const lifecycle = opened.adopt(
    createLifecycle({ jobStore, outputStore, retention, ballast: store, events, log }),
    one => one.close(),
  )
  await recover({ jobStore, outputStore, lifecycle, processes, clock, log })
  const scriptDirectory = join(dataDirectory, 'scripts')
  await orStartupError(`${scriptDirectory}: cannot be made`, () => openScriptDirectory(scriptDirectory))
  const housekeeping = opened.adopt(
    createHousekeeping({ retention, checkpoint: database.checkpoint, log }),
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
    ballast,
    processes,
    clock,
    log,
    env,
    canRecord: audit.isWritable,
    recordStart: ({ id, caller, request }) =>
      audit.recordOrFail({
        action: 'submit',
        outcome: 'accepted',
        caller: caller.id,
        client: caller.address,
        job: id,
        ...describe(request),
      }),
    scriptDirectory,
    outputLimit: config.outputLimit,
    killGraceMs: config.killGraceMs,
  })
  const lastJobWithoutStore = goneDirectory.promise.then(() => {
    log.error(
      { dataDirectory },
      'THE DATA DIRECTORY IS GONE, or another one is in its place: no job is taken any more, and the agent ends with the last that runs',
    )
    return jobs.settled()
  })

  const drained = Promise.withResolvers<void>()
  const drain = (): void => {
    if (jobs.isDraining()) return
    const timeoutMs = config.drainTimeoutMs
    log.info({ running: jobs.countRunning(), timeoutMs }, 'draining')
    const lastJob = jobs.drain()
    void (timeoutMs === undefined ? lastJob : within(lastJob, timeoutMs)).then(() => drained.resolve())
  }

  const app = createApp({
    jobs,
    authenticator: guessLimiter,
    audit: { record: audit.record, describe, recordFailedAuthentication: failures.record },
    status: () => ({
      version: packageJson.version,
      running: jobs.countRunning(),
      limit: config.maxRunning,
      stopping: jobs.isClosing(),
      draining: jobs.isDraining(),
      guesses: guessLimiter.counts(),
      guardian: processes.guardian(),
      store: { state: directory.isGone() ? 'gone' : ballast.isHeld() ? 'ok' : 'full' },
    }),
    drain,
    bodyLimit: config.bodyLimit,
    reportError: (err, requestId) => log.error({ err, requestId }, 'unexpected error'),
  })
  const { tls: tlsFiles } = config
  const tls = tlsFiles && (await orStartupError('AGENT_TLS_CERT, AGENT_TLS_KEY', () => loadTls(tlsFiles)))
  const server = createServer({ ...config, fetch: app, log, tls: tls?.options })
  if (tlsFiles && tls && server instanceof TlsServer) {
    const onChange = (options: SecureContextOptions) => server.setSecureContext(options)
    opened.adopt(watchTls({ files: tlsFiles, version: tls.version, onChange, log }), one => one.close())
  }
  if (!tls && !isLoopback(config.host)) log.warn({ host: config.host }, PLAIN_HTTP)
  await orStartupError(`AGENT_HOST=${config.host} AGENT_PORT=${config.port}: cannot listen`, async () => {
    const listening = Promise.withResolvers<void>()
    server.once('error', listening.reject).listen(config.port, config.host, listening.resolve)
    await listening.promise
  })

  await audit.record({ action: 'agent', outcome: 'started', detail: packageJson.version })

  return {
    url: urlOf(server.address() as AddressInfo, tls !== undefined),
    secretFile: madeUpIn,
    /** The contract's signature; undefined where no key has a secret of its own. */
    sign: secret === undefined ? undefined : createSigner(secret).sign,
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
      await jobs.close(graceMs)
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeIdleConnections()
      await within(closed, LAST_ANSWERS_MS)
      server.closeAllConnections()
      failures.close()
      await audit.record({ action: 'agent', outcome: 'stopped' })
      await audit.close()
      opened.dispose()
    },

    /** Makes a stop that is under way kill at once. */
    kill: (): Promise<void> => jobs.close(0),
  }
}

export type Agent = Awaited<ReturnType<typeof startAgent>>

/** Where the keys come from, as whoever starts the agent knows it. */
const keyFilesOf = ({ keysFile, secretFile, dataDirectory }: Config): string =>
  [
    ...(secretFile === undefined ? [] : [`AGENT_SECRET_FILE=${secretFile}`]),
    ...(keysFile === undefined ? [] : [`AGENT_KEYS_FILE=${keysFile}`]),
  ].join(', ') || `${dataDirectory}/secret`

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

const orStartupError = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
  try {
    return await action()
  } catch (error) {
    throw new StartupError(`${what}: ${(error as Error).message}`)
  }
}

const urlOf = ({ address, family, port }: AddressInfo, isEncrypted: boolean): string =>
  `${isEncrypted ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`

const PLAIN_HTTP =
  'PLAIN HTTP ON A NETWORK: whoever sees a request can read its command and its output, and use a signature of the contract again; set AGENT_TLS_CERT and AGENT_TLS_KEY'

/** How long answers that are being sent may take when everything has been stopped. */
const LAST_ANSWERS_MS = 1000
