import type { Credentials } from '../../lib/client/client.ts'
import { bareServers, type EngineUser, INBOX, isEngineUrl, userOf } from './engine-url.ts'
import { UsageError } from './failure.ts'
import { type FleetEntry, readHosts } from './hosts-file.ts'
import { createFileReader, readCredentials } from './read-credentials.ts'

/** The engine of a fleet, and how to ask its agents. */
export interface FleetAddress {
  /** As it was named; never with a password. */
  name: string
  servers: string[]
  /** Of the first URL that has them; without a password the user is a token. */
  user?: EngineUser | undefined
  /** What is in the file of credentials, or in that with an nkey seed. */
  creds?: string | undefined
  nkey?: string | undefined
  /** PEM. Undefined where the engine may be spoken to without TLS. */
  tls?: { ca?: string; cert?: string; key?: string } | undefined
  inbox: string
  /** Undefined when nothing says who asks the agents. */
  credentials: Credentials | undefined
}

/** By a name of hosts.toml, or the URL of its engine. */
export const whichFleet = async (env: NodeJS.ProcessEnv, named: string): Promise<FleetAddress> => {
  const url = engineUrlOf(named)
  const entry = url === undefined ? await entryOf(env, named) : ofEnvironment(env, url)
  const name = url === undefined ? `fleet ${named}` : bareServers(url).join(',')
  const file = createFileReader(env, name)
  const [ca, cert, key] = [await file(entry.ca), await file(entry.cert), await file(entry.cert_key)]
  const isTls = ca !== undefined || cert !== undefined || /\btls:/.test(entry.url)
  return {
    name,
    servers: bareServers(entry.url),
    user: userOf(entry.url),
    creds: await file(entry.creds_file),
    nkey: (await file(entry.nkey_file))?.trim(),
    tls: isTls ? { ...(ca && { ca }), ...(cert && key && { cert, key }) } : undefined,
    inbox: entry.inbox ?? '_INBOX',
    credentials: ownCredentials(env) ?? (await readCredentials(entry, file)),
  }
}

/** A host with a port is an engine without TLS. */
const engineUrlOf = (text: string): string | undefined => {
  if (/^([\w.-]+|\[[\da-f:]+\]):\d+$/i.test(text)) return `nats://${text}`
  if (!text.includes('://')) return undefined
  if (isEngineUrl(text)) return text
  throw new UsageError('--fleet: that is no URL of an engine; it should be such as nats://engine:4222')
}

const entryOf = async (env: NodeJS.ProcessEnv, name: string): Promise<FleetEntry> => {
  const { fleets = {}, path } = await readHosts(env)
  const entry = Object.hasOwn(fleets, name) ? fleets[name] : undefined
  if (entry) return entry
  const known = Object.keys(fleets)
  const hint = known.length > 0 ? `it has ${known.join(', ')}` : `[fleets.${name}] with its url makes one`
  throw new UsageError(
    `${name}: there is no such fleet in ${path}; ${hint}; or name a URL such as nats://${name}:4222`,
  )
}

/** Of an engine that is named by its URL. */
const ofEnvironment = (env: NodeJS.ProcessEnv, url: string): FleetEntry => {
  const inbox = env.NEWDT_FLEET_INBOX || undefined
  if (inbox !== undefined && !INBOX.test(inbox))
    throw new UsageError('NEWDT_FLEET_INBOX: must be the beginning of a subject, such as _INBOX.alice')
  const entry: FleetEntry = {
    url,
    creds_file: env.NEWDT_FLEET_CREDS || undefined,
    nkey_file: env.NEWDT_FLEET_NKEY || undefined,
    ca: env.NEWDT_FLEET_CA || undefined,
    cert: env.NEWDT_FLEET_CERT || undefined,
    cert_key: env.NEWDT_FLEET_CERT_KEY || undefined,
    inbox,
  }
  if (entry.creds_file && entry.nkey_file)
    throw new UsageError('NEWDT_FLEET_CREDS and NEWDT_FLEET_NKEY are both set; unset one of them')
  if ((entry.cert === undefined) !== (entry.cert_key === undefined))
    throw new UsageError('NEWDT_FLEET_CERT and NEWDT_FLEET_CERT_KEY: set both, or neither')
  return entry
}

/** Who sets a variable for one command means it. */
const ownCredentials = ({
  NEWDT_TOKEN,
  NEWDT_SECRET,
  NEWDT_KEY,
}: NodeJS.ProcessEnv): Credentials | undefined => {
  if (NEWDT_TOKEN)
    throw new UsageError(
      'NEWDT_TOKEN: a token is good for nothing in a fleet, whose engine would see it; unset it, and use NEWDT_SECRET, or secret_file or private_key_file of [fleets.NAME] in hosts.toml',
    )
  return NEWDT_SECRET ? { secret: NEWDT_SECRET, keyId: NEWDT_KEY || undefined } : undefined
}
