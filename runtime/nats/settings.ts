import { hostname } from 'node:os'
import { z } from 'zod'
import { LONGEST_INBOX_PREFIX } from '../../lib/fleet/inbox.ts'
import { type FleetLabel, isHostName, parseLabel } from '../../lib/fleet/names.ts'

/** What an agent needs to be one of a fleet. */
export interface FleetConfig {
  name: string
  labels: readonly FleetLabel[]
  engine: EngineConfig
  /** Whether it takes jobs from the queue. */
  takesQueue: boolean
}

/** Where the engine is, and what proves who connects. */
export interface EngineConfig {
  /** Without what is in them to prove who connects. */
  servers: readonly string[]
  /** Of the first URL that has them; without a password the user is a token. */
  user?: { name: string; password: string | undefined } | undefined
  credsFile?: string | undefined
  nkeyFile?: string | undefined
  /** Undefined where the engine may be spoken to without TLS. */
  tls?: { caFile?: string; certFile?: string; keyFile?: string } | undefined
  /** What the subjects that answers come on begin with. */
  inbox: string
}

const file = z.string().min(1, 'must not be empty').optional()

const labels = z.string().transform((text, context) => {
  const items = text.split(',').map(item => item.trim())
  const parsed = items.map(parseLabel).filter(label => label !== undefined)
  const isUnique = new Set(parsed.map(({ name }) => name)).size === items.length
  if (parsed.length === items.length && isUnique && items.length <= MOST_LABELS) return parsed
  context.addIssue({
    code: 'custom',
    message: `must be at most ${MOST_LABELS} labels such as role=db,env=prod, each name once, in lower case`,
  })
  return z.NEVER
})

const urls = z.string().transform((text, context) => {
  const parsed = text.split(',').map(item => URL.parse(item.trim()))
  const isOfEngine = (url: URL | null): url is URL =>
    url !== null &&
    /^(nats|tls):$/.test(url.protocol) &&
    url.hostname !== '' &&
    /^\/?$/.test(url.pathname + url.search + url.hash)
  const isWhole = parsed.every(isOfEngine)
  if (isWhole && parsed.every(hasUsableUser)) return parsed
  context.addIssue({
    code: 'custom',
    message: isWhole
      ? 'must have a user before a password, and %25 for each % in them'
      : 'must be URLs such as nats://host:4222 or tls://host:4222, with commas between them',
  })
  return z.NEVER
})

const hasUsableUser = ({ username, password }: URL): boolean => {
  try {
    decodeURIComponent(username + password)
    return username !== '' || password === ''
  } catch {
    return false
  }
}

/** The settings of a fleet. */
export const FLEET_SETTINGS = {
  AGENT_NAME: z
    .string()
    .refine(isHostName, 'must be the name of a host, such as db1 or db1.example.com, in lower case')
    .optional(),
  AGENT_LABELS: labels.optional(),
  AGENT_NATS_URL: urls.optional(),
  AGENT_NATS_CREDS: file,
  AGENT_NATS_NKEY: file,
  AGENT_NATS_TLS_CA: file,
  AGENT_NATS_TLS_CERT: file,
  AGENT_NATS_TLS_KEY: file,
  AGENT_NATS_INBOX: z
    .string()
    .regex(/^[\w-]+(\.[\w-]+)*$/, 'must be the beginning of a subject, such as _INBOX.db1')
    .max(LONGEST_INBOX_PREFIX, `must have at most ${LONGEST_INBOX_PREFIX} characters`)
    .optional(),
  AGENT_QUEUE: z.enum(['on', 'off'], { error: 'must be on or off' }).optional(),
}

/** Those that hold a password: no line ever shows them. */
export const isSecretFleetSetting = (name: string): boolean => name === 'AGENT_NATS_URL'

type FleetEnvironment = z.output<z.ZodObject<typeof FLEET_SETTINGS>>

/** Undefined for an agent that is in no fleet. */
export const fleetOf = (env: FleetEnvironment): FleetConfig | undefined => {
  const { AGENT_NATS_URL: urls } = env
  if (urls === undefined) return undefined
  const withUser = urls.find(url => url.username !== '')
  return {
    name: env.AGENT_NAME ?? defaultName(),
    labels: env.AGENT_LABELS ?? [],
    takesQueue: env.AGENT_QUEUE !== 'off',
    engine: {
      servers: urls.map(({ protocol, host }) => `${protocol}//${host}`),
      user: withUser && userOf(withUser),
      credsFile: env.AGENT_NATS_CREDS,
      nkeyFile: env.AGENT_NATS_NKEY,
      tls: tlsOf(env),
      inbox: env.AGENT_NATS_INBOX ?? '_INBOX',
    },
  }
}

const userOf = ({ username, password }: URL): EngineConfig['user'] => ({
  name: decodeURIComponent(username),
  password: password === '' ? undefined : decodeURIComponent(password),
})

const tlsOf = (env: FleetEnvironment): EngineConfig['tls'] => {
  const { AGENT_NATS_TLS_CA: caFile, AGENT_NATS_TLS_CERT: certFile, AGENT_NATS_TLS_KEY: keyFile } = env
  const isAsked = env.AGENT_NATS_URL?.some(({ protocol }) => protocol === 'tls:') || caFile || certFile
  return isAsked
    ? { ...(caFile && { caFile }), ...(certFile && keyFile && { certFile, keyFile }) }
    : undefined
}

/** The host's own, with whatever else is in it than a name may have as `-`. */
export const defaultName = (name = hostname()): string => {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .slice(0, 63)
    .replace(/^[.-]+|[.-]+$/g, '')
  return isHostName(plain) ? plain : 'localhost'
}

/** Settings that do not go together. */
export const fleetMistakes = (environment: NodeJS.ProcessEnv): string[] => {
  const isSet = (name: string): boolean => environment[name] !== undefined
  const mistakes: string[] = []
  const ofFleet = Object.keys(FLEET_SETTINGS).filter(name => name !== 'AGENT_NATS_URL' && isSet(name))
  if (!isSet('AGENT_NATS_URL') && ofFleet.length > 0)
    mistakes.push(`${ofFleet.join(', ')}: without AGENT_NATS_URL there is no fleet`)
  if (isSet('AGENT_NATS_CREDS') && isSet('AGENT_NATS_NKEY'))
    mistakes.push('AGENT_NATS_CREDS, AGENT_NATS_NKEY: only one of them may be set')
  if (isSet('AGENT_NATS_TLS_CERT') !== isSet('AGENT_NATS_TLS_KEY'))
    mistakes.push(
      'AGENT_NATS_TLS_CERT, AGENT_NATS_TLS_KEY: a certificate needs its key, and a key its certificate',
    )
  if (environment.AGENT_PORT !== 'off') return mistakes
  if (!isSet('AGENT_NATS_URL'))
    mistakes.push('AGENT_PORT=off: without AGENT_NATS_URL nobody could ask this agent anything')
  const ofHttp = OF_HTTP.filter(isSet)
  if (isSet('AGENT_ALLOW') && !isSet('AGENT_METRICS_LISTEN')) ofHttp.push('AGENT_ALLOW')
  if (ofHttp.length > 0) mistakes.push(`${ofHttp.join(', ')}: without effect where AGENT_PORT is off`)
  return mistakes
}

/** Those that say how HTTP is served. So does AGENT_ALLOW, which also says who may look at the metrics. */
const OF_HTTP = [
  'AGENT_HOST',
  'AGENT_TLS_CERT',
  'AGENT_TLS_KEY',
  'AGENT_TLS_CLIENT_CA',
  'AGENT_TRUSTED_PROXIES',
  'AGENT_AUTHORITIES',
  'AGENT_CONSOLE',
]

const MOST_LABELS = 16
