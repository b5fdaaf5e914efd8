import type { Log } from '../lib/base/log.ts'
import type { JobRequest } from '../lib/jobs/job.ts'
import { commandLine } from '../lib/jobs/program.ts'
import { openAudit } from '../lib/security/audit.ts'
import { createAuditRepeats } from '../lib/security/audit-repeats.ts'
import { hashesOf, type Submitted, textOf } from '../lib/security/audit-submission.ts'
import { createAuthenticator } from '../lib/security/authenticator.ts'
import { createGuessLimiter, networkOf } from '../lib/security/guess-limiter.ts'
import { createNonces } from '../lib/security/nonces.ts'
import type { Database } from '../lib/store/sqlite/database.ts'
import { createNonceStore } from '../lib/store/sqlite/nonces.ts'
import type { Config } from './config.ts'
import { loadKeys, watchKeys } from './keys.ts'
import { orStartupError } from './startup-error.ts'

/**
 * Who may ask, and the trail of what they have asked for. `opened` gets what must be closed. Rejects with StartupError.
 */
export const openAccess = async (
  config: Config,
  database: Database,
  log: Log,
  opened: AsyncDisposableStack,
) => {
  const { dataDirectory } = config
  const { keys, secret, madeUpIn, version } = await orStartupError(keyFilesOf(config), () => loadKeys(config))
  const nonces = opened.adopt(createNonces({ store: createNonceStore(database), now: Date.now, log }), one =>
    one.close(),
  )
  const authenticator = createAuthenticator(keys, {
    ...config,
    ttlMs: config.signTtlMs,
    now: Date.now,
    nonces,
  })
  const guessLimiter = createGuessLimiter(authenticator)
  const audit = opened.adopt(
    await orStartupError(`${dataDirectory}/audit.jsonl: cannot be written`, () =>
      openAudit({ directory: dataDirectory, log }),
    ),
    one => one.close(),
  )
  const repeats = opened.adopt(createAuditRepeats(audit, { mostKinds: MOST_DEEDS }), one => one.close())
  const failures = opened.adopt(createAuditRepeats(audit, { mostKinds: MOST_STRANGERS }), one => one.close())
  opened.adopt(watchKeys({ ...config, version, onKeys: authenticator.use, audit, log }), one => one.close())

  return {
    authenticator: guessLimiter,
    /** See Nonces. */
    useUp: nonces.useUp,
    /** The first secret for the contract's signature; undefined where no key has one. */
    secret,
    /** As they were at the start. */
    keys,
    /** The file that it was made up in. */
    madeUpIn,

    audit: {
      record: audit.record,
      recordOrFail: audit.recordOrFail,
      recordRepeatable: repeats.record,
      isWritable: audit.isWritable,
      hashesOf: (request: JobRequest, body: Uint8Array) => hashesOf(submitted(request), body),
      textOf: (request: JobRequest) => (config.auditsCommands ? textOf(submitted(request)) : {}),

      /** `outcome` is the machine word of the error. */
      recordFailedAuthentication: (outcome: string, client: string) =>
        failures.record({ action: 'authenticate', outcome, client }, networkOf(client)),

      /** What comes last, after which nothing is recorded. */
      async close(): Promise<void> {
        failures.close()
        repeats.close()
        await audit.record({ action: 'agent', outcome: 'stopped' })
        await audit.close()
      },
    },
  }
}

/** Signals and cancels of one caller that are told apart by their jobs; each job has a line of its own anyway. */
const MOST_DEEDS = 10_000
/** Networks from which the same kind of authentication has failed. */
const MOST_STRANGERS = 50

const submitted = (request: JobRequest): Submitted => ({
  ...request,
  commandLine: commandLine(request.cmd, request.params),
})

/** Where the keys come from, as whoever starts the agent knows it. */
const keyFilesOf = ({ keysFile, secretFile, dataDirectory }: Config): string =>
  [
    ...(secretFile === undefined ? [] : [`AGENT_SECRET_FILE=${secretFile}`]),
    ...(keysFile === undefined ? [] : [`AGENT_KEYS_FILE=${keysFile}`]),
  ].join(', ') || `${dataDirectory}/secret`
