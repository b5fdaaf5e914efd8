import { resolve } from 'node:path'
import { z } from 'zod'
import { nearest } from '../lib/base/nearest.ts'
import { NO_LIMITS } from '../lib/jobs/job.ts'
import { limitText } from '../lib/jobs/limits.ts'
import { LIMIT_NAMES, type Limits } from '../lib/process/types.ts'
import { plainAuthority } from './authority.ts'
import { defaultDataDirectory } from './data-directory.ts'
import { isLoopback } from './loopback.ts'
import { FLEET_SETTINGS, fleetMistakes, fleetOf, isSecretFleetSetting } from './nats/settings.ts'
import { notifyMistakes, notifyOf, notifySettings } from './notify/settings.ts'
import {
  addresses,
  authorities,
  duration,
  integer,
  LONGEST_GRACE_MS,
  limit,
  limits,
  listenAddress,
  notEmpty,
  port,
  size,
  users,
} from './setting-types.ts'
import type { TlsFiles } from './tls.ts'

/** Every mistake of a configuration, a line each; no line ever holds the secret. */
export class ConfigError extends Error {
  readonly mistakes: string[]

  constructor(mistakes: string[]) {
    super(mistakes.join('\n'))
    this.mistakes = mistakes
  }
}

/** Reads the settings from environment variables. Throws ConfigError. */
export const readConfig = (environment: NodeJS.ProcessEnv) => {
  const result = schema.safeParse(environment)
  const mistakes = result.success ? [] : result.error.issues.map(issue => mistake(issue, environment))
  mistakes.push(...unknownSettings(environment))
  const { AGENT_SECRET: secret, AGENT_SECRET_FILE: secretFile } = environment
  if (secret !== undefined && secretFile !== undefined) {
    mistakes.push('AGENT_SECRET, AGENT_SECRET_FILE: only one of them may be set')
  }
  const { AGENT_TLS_CERT: cert, AGENT_TLS_KEY: key, AGENT_TLS_CLIENT_CA: clientCa } = environment
  if ((cert === undefined) !== (key === undefined) || (clientCa !== undefined && cert === undefined)) {
    mistakes.push(
      `AGENT_TLS_CERT, AGENT_TLS_KEY${clientCa === undefined ? '' : ', AGENT_TLS_CLIENT_CA'}: TLS needs a certificate and its key${missingOf({ AGENT_TLS_CERT: cert, AGENT_TLS_KEY: key })}`,
    )
  }
  const host = environment.AGENT_HOST ?? DEFAULT_HOST
  const { AGENT_KEYS_FILE: keysFile } = environment
  if (secret === undefined && secretFile === undefined && keysFile === undefined && !isLoopback(host)) {
    mistakes.push(
      `AGENT_HOST=${host}: without AGENT_SECRET, AGENT_SECRET_FILE or AGENT_KEYS_FILE only a loopback address is allowed (127.0.0.1, ::1, localhost)`,
    )
  }
  mistakes.push(...fleetMistakes(environment))
  if (result.success) {
    mistakes.push(...tooHigh(result.data), ...notifyMistakes(result.data.notify, environment))
  }
  if (!result.success || mistakes.length > 0) throw new ConfigError(mistakes)
  return {
    ...result.data,
    dataDirectory: resolve(result.data.dataDirectory ?? defaultDataDirectory(environment)),
  }
}

export type Config = ReturnType<typeof readConfig>

const missingOf = (settings: Record<string, string | undefined>): string =>
  Object.entries(settings)
    .filter(([, value]) => value === undefined)
    .map(([name]) => `; ${name} is missing`)
    .join('')

/** Defaults that no job could ask for. */
const tooHigh = ({ defaultLimits, maxLimits }: Record<'defaultLimits' | 'maxLimits', Limits>): string[] =>
  LIMIT_NAMES.flatMap(name => {
    const [value, most] = [defaultLimits[name], maxLimits[name]]
    if (value === undefined || most === undefined || value <= most) return []
    return [
      `AGENT_DEFAULT_LIMITS: ${name}=${limitText(name, value)} is more than the ${limitText(name, most)} of AGENT_MAX_LIMITS`,
    ]
  })

/** A setting with a wrong name would be without effect, and nobody would know. Its value may be a secret. */
const unknownSettings = (environment: NodeJS.ProcessEnv): string[] => {
  const known = Object.keys(settings.shape)
  return Object.keys(environment)
    .filter(name => name.startsWith('AGENT_') && !known.includes(name))
    .map(name => {
      const meant = nearest(name, known)
      return `${name}: no such setting${meant ? `, perhaps ${meant} is meant` : ''}`
    })
}

const mistake = ({ path, message }: z.core.$ZodIssue, environment: NodeJS.ProcessEnv): string => {
  const name = String(path[0])
  if (SECRET_SETTINGS.includes(name) || isSecretFleetSetting(name)) return `${name}: ${message}`
  const value = environment[name] ?? ''
  return `${name}=${value.replace(NOT_ON_A_LINE, escapeCharacter)}: ${message}`
}

/** Whose value, or part of it, may be a secret. */
const SECRET_SETTINGS = ['AGENT_SECRET', 'AGENT_NOTIFY_URL', 'AGENT_NOTIFY_ALLOW']

const NOT_ON_A_LINE = /[\p{C}\p{Zl}\p{Zp}]/gu

const escapeCharacter = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`

const DEFAULT_HOST = '127.0.0.1'
const MB = 1024 ** 2
const TB = 1024 ** 4

const settings = z.object({
  AGENT_HOST: notEmpty.default(DEFAULT_HOST),
  AGENT_PORT: port.default(8080),
  AGENT_SECRET: notEmpty.optional(),
  AGENT_SECRET_FILE: notEmpty.optional(),
  AGENT_KEYS_FILE: notEmpty.optional(),
  AGENT_AUTH: z.enum(['any', 'strict'], { error: 'must be any or strict' }).default('any'),
  AGENT_AUTHORITIES: authorities.optional(),
  AGENT_TLS_CERT: notEmpty.optional(),
  AGENT_TLS_KEY: notEmpty.optional(),
  AGENT_TLS_CLIENT_CA: notEmpty.optional(),
  AGENT_METRICS_LISTEN: listenAddress.optional(),
  AGENT_ALLOW: addresses.optional(),
  AGENT_TRUSTED_PROXIES: addresses.optional(),
  AGENT_CONSOLE: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  AGENT_SIGN_TTL: duration().default(30 * 60_000),
  AGENT_CLOCK_SKEW: duration().default(5 * 60_000),
  AGENT_MAX_RUNNING: integer(1, 10_000).default(5),
  AGENT_DATA_DIR: notEmpty.optional(),
  AGENT_BODY_LIMIT: size(1024, 256 * MB).default(8 * MB),
  AGENT_OUTPUT_LIMIT: size(0, 256 * MB).default(16 * MB),
  AGENT_KILL_GRACE: duration(LONGEST_GRACE_MS).default(5000),
  AGENT_DRAIN_TIMEOUT: duration(LONGEST_GRACE_MS).optional(),
  AGENT_RUN_AS: users.optional(),
  AGENT_DEFAULT_LIMITS: limits().optional(),
  // A job that is nicer than others takes less: there is no most.
  AGENT_MAX_LIMITS: limits(LIMIT_NAMES.filter(name => name !== 'nice')).optional(),
  AGENT_JOBS_MEMORY: limit('memory').optional(),
  AGENT_JOBS_CPUS: limit('cpus').optional(),
  AGENT_JOBS_PROCESSES: limit('processes').optional(),
  AGENT_KEEP: duration().default(7 * 24 * 3600_000),
  AGENT_KEEP_JOBS: integer(1, 100_000_000).default(10_000),
  AGENT_KEEP_BYTES: size(0, TB).default(2048 * MB),
  AGENT_AUDIT_COMMANDS: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false'),
  ...FLEET_SETTINGS,
  AGENT_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be one of fatal, error, warn, info, debug, trace, silent',
    })
    .default('info'),
  ...notifySettings,
})

const tlsFilesOf = (env: z.output<typeof settings>): TlsFiles | undefined => {
  const { AGENT_TLS_CERT: cert, AGENT_TLS_KEY: key, AGENT_TLS_CLIENT_CA: clientCa } = env
  return cert === undefined || key === undefined ? undefined : { cert, key, clientCa }
}

/** Of all jobs together. */
const allJobsOf = (env: z.output<typeof settings>): Pick<Limits, 'memory' | 'cpus' | 'processes'> => ({
  memory: env.AGENT_JOBS_MEMORY,
  cpus: env.AGENT_JOBS_CPUS,
  processes: env.AGENT_JOBS_PROCESSES,
})

const schema = settings.transform(env => ({
  host: env.AGENT_HOST,
  port: env.AGENT_PORT,
  fleet: fleetOf(env),
  secret: env.AGENT_SECRET,
  secretFile: env.AGENT_SECRET_FILE,
  keysFile: env.AGENT_KEYS_FILE,
  isStrict: env.AGENT_AUTH === 'strict',
  authorities: env.AGENT_AUTHORITIES?.map(one => plainAuthority(one, env.AGENT_TLS_CERT !== undefined)),
  tls: tlsFilesOf(env),
  metricsListen: env.AGENT_METRICS_LISTEN,
  allowed: env.AGENT_ALLOW,
  trustedProxies: env.AGENT_TRUSTED_PROXIES,
  hasConsole: env.AGENT_CONSOLE === 'on' && env.AGENT_PORT !== 'off',
  signTtlMs: env.AGENT_SIGN_TTL,
  clockSkewMs: env.AGENT_CLOCK_SKEW,
  maxRunning: env.AGENT_MAX_RUNNING,
  dataDirectory: env.AGENT_DATA_DIR,
  bodyLimit: env.AGENT_BODY_LIMIT,
  outputLimit: env.AGENT_OUTPUT_LIMIT,
  drainTimeoutMs: env.AGENT_DRAIN_TIMEOUT,
  killGraceMs: env.AGENT_KILL_GRACE,
  runAs: env.AGENT_RUN_AS ?? [],
  defaultLimits: env.AGENT_DEFAULT_LIMITS ?? NO_LIMITS,
  maxLimits: env.AGENT_MAX_LIMITS ?? NO_LIMITS,
  allJobs: allJobsOf(env),
  keep: { ageMs: env.AGENT_KEEP, jobs: env.AGENT_KEEP_JOBS, bytes: env.AGENT_KEEP_BYTES },
  auditsCommands: env.AGENT_AUDIT_COMMANDS === 'true',
  logLevel: env.AGENT_LOG_LEVEL,
  notify: notifyOf(env),
}))
