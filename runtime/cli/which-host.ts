import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectOptions, Credentials } from '../../lib/client/client.ts'
import { defaultDataDirectory } from '../data-directory.ts'
import { isLoopback } from '../loopback.ts'
import { UsageError } from './failure.ts'
import { type HostEntry, readHosts } from './hosts-file.ts'
import { createFileReader, firstSecret, readCredentials } from './read-credentials.ts'

/** An agent, and how to ask it. */
export interface Host {
  name: string
  url: string
  credentials?: Credentials | undefined
  /** PEM. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined
  /** What sends requests, where that is not HTTP. */
  fetch?: ConnectOptions['fetch']
  /** The same of a fleet, to which cancel and signal are sent with the right `admin`. */
  asAdmin?: () => Host
}

/**
 * The host that is meant: the one that is named, by its name or URL; else NEWDT_HOST; else that of `newdt host use`;
 * else the agent of this machine.
 */
export const whichHost = async (env: NodeJS.ProcessEnv, named?: string): Promise<Host> => {
  const wanted = named ?? (env.NEWDT_HOST || undefined)
  const url = wanted === undefined ? undefined : urlOf(wanted)
  if (url !== undefined) return hostOfUrl(env, url)
  const { hosts, current } = await readHosts(env)
  const name = wanted ?? current
  if (name === undefined) return hostOfUrl(env, DEFAULT_URL)
  const entry = Object.hasOwn(hosts, name) ? hosts[name] : undefined
  if (!entry) throw new UsageError(`${name}: there is no such host; newdt host ls, or ${urlLike(name)}`)
  return hostOfEntry(env, name, entry)
}

/** A host of the file; what it is asked with is read when it is. */
export interface NamedHost {
  name: string
  /** Rejects with Failure when a file of it cannot be read. */
  load(): Promise<Host>
}

/** All hosts of the file whose names match one of the patterns, such as `web*,db1`. Throws UsageError for none. */
export const whichHosts = async (env: NodeJS.ProcessEnv, patterns: string): Promise<NamedHost[]> => {
  const { hosts, path } = await readHosts(env)
  const names = new Set<string>()
  for (const pattern of patterns.split(',').map(text => text.trim())) {
    const matching = Object.keys(hosts).filter(name => globOf(pattern).test(name))
    if (matching.length === 0)
      throw new UsageError(`${pattern}: no host in ${path} is called so; ${hintFor(pattern)}newdt host ls`)
    for (const name of matching) names.add(name)
  }
  return [...names].map(name => ({ name, load: () => hostOfEntry(env, name, hosts[name]!) }))
}

export const hintFor = (pattern: string): string =>
  /[[\]{}]/.test(pattern) ? '* and ? only, several patterns with commas; ' : ''

/** What was probably meant. */
const urlLike = (name: string): string => {
  if (name.includes('://')) return 'a URL that begins with http:// or https://'
  return `a URL such as http://${name}:8080`
}

const DEFAULT_URL = 'http://127.0.0.1:8080'

/** A host with a port, without http://, is an agent that speaks plain HTTP, as curl has it. */
export const urlOf = (text: string): string | undefined => {
  if (/^https?:\/\//i.test(text)) return text
  return /^([\w.-]+|\[[\da-f:]+\]):\d+$/i.test(text) ? `http://${text}` : undefined
}

export const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )

const hostOfUrl = async (env: NodeJS.ProcessEnv, url: string): Promise<Host> => {
  if (!URL.canParse(url)) throw new UsageError(`${url}: is no URL; it should be such as ${DEFAULT_URL}`)
  const { host, hostname } = new URL(url)
  return {
    name: host,
    url,
    credentials: (await ownCredentials(env)) ?? (await localCredentials(env, hostname)),
  }
}

/** How a secret signs is a matter of the host, or of a proxy before it. */
const ownCredentials = async (
  env: NodeJS.ProcessEnv,
  { signature }: Pick<HostEntry, 'signature'> = {},
): Promise<Credentials | undefined> => {
  const { NEWDT_TOKEN: token, NEWDT_SECRET: secret, NEWDT_KEY: keyId } = env
  if (token && secret) throw new UsageError('NEWDT_TOKEN and NEWDT_SECRET are both set; unset one of them')
  if (token) return { token }
  return secret ? { secret, keyId: keyId || undefined, signature } : undefined
}

/** Whoever may read the secret of the agent on this machine need not be told it. */
const localCredentials = async (
  env: NodeJS.ProcessEnv,
  hostname: string,
): Promise<Credentials | undefined> => {
  if (!isLoopback(hostname.replace(/^\[|\]$/g, ''))) return undefined
  const directory = env.AGENT_DATA_DIR || defaultDataDirectory(env)
  const text = await readFile(env.AGENT_SECRET_FILE || join(directory, 'secret'), 'utf8').catch(() => '')
  const secret = firstSecret(text)
  return secret === undefined ? undefined : { secret }
}

const hostOfEntry = async (env: NodeJS.ProcessEnv, name: string, entry: HostEntry): Promise<Host> => {
  const file = createFileReader(env, `host ${name}`)
  const [ca, cert, key] = [await file(entry.ca), await file(entry.cert), await file(entry.cert_key)]
  const hasTls = ca !== undefined || cert !== undefined
  return {
    name,
    url: entry.url,
    // Who sets a variable for one command means it.
    credentials:
      (await ownCredentials(env, entry)) ??
      (await readCredentials(entry, file)) ??
      (await localOf(env, entry)),
    ...(hasTls ? { tls: { ca, cert, key } } : {}),
  }
}

/** A client certificate says who asks: a secret beside it would say that it is somebody else. */
export const localOf = async (
  env: NodeJS.ProcessEnv,
  { url, cert }: HostEntry,
): Promise<Credentials | undefined> =>
  cert === undefined ? localCredentials(env, new URL(url).hostname) : undefined
