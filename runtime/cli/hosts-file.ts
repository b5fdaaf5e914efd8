import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { makeDirectory } from '../data-directory.ts'
import { readPrivateFile, refuseOpenWay } from '../private-file.ts'
import { isPrivateGroup } from '../private-group.ts'
import { changeFile } from './change-file.ts'
import { Failure, UsageError } from './failure.ts'
import type { FleetEntry, HostEntry } from './hosts-schema.ts'

export type { FleetEntry, HostEntry } from './hosts-schema.ts'

export interface HostsFile {
  path: string
  /** The host that is meant when none is named. */
  current?: string | undefined
  hosts: Record<string, HostEntry>
  fleets?: Record<string, FleetEntry> | undefined
}

export const hostsPath = ({ XDG_CONFIG_HOME, HOME }: NodeJS.ProcessEnv): string =>
  join(XDG_CONFIG_HOME || join(HOME || homedir(), '.config'), 'newdt', 'hosts.toml')

/** No hosts when there is no file. Rejects with Failure when it is faulty, or others may read the secrets in it. */
export const readHosts = async (env: NodeJS.ProcessEnv): Promise<HostsFile> => {
  const path = hostsPath(env)
  try {
    const parse = await loadParser()
    return { path, ...(await readPrivateFile(path, parse, holdsSecrets, isPrivateGroup)) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { path, hosts: {} }
    throw faultOf(path, error)
  }
}

/** Adds a host at the end; what stands there stays as it is, comments too. Throws UsageError when it is there. */
export const addHost = async (env: NodeJS.ProcessEnv, name: string, entry: HostEntry): Promise<void> => {
  const { stringify } = await import('smol-toml')
  await changeHosts(env, (text, file) => {
    const { hosts } = file
    if (Object.hasOwn(hosts, name))
      throw new UsageError(`host add: ${name} is there already; newdt host rm ${name} takes it out`)
    const gap = text === '' || text.endsWith('\n\n') ? '' : text.endsWith('\n') ? '\n' : '\n\n'
    const added = `${text}${gap}${stringify({ hosts: { [name]: entry } })}\n`
    return { text: added, wanted: { ...file, hosts: { ...hosts, [name]: entry } } }
  })
}

/** Throws UsageError when there is no such host. */
export const removeHost = (env: NodeJS.ProcessEnv, name: string): Promise<void> =>
  changeHosts(env, (text, file) => {
    const { [name]: _removed, ...hosts } = knownHosts(file, name)
    const kept = withoutTable(text, name)
    if (file.current !== name) return { text: kept, wanted: { ...file, hosts } }
    return { text: withoutCurrent(kept), wanted: { ...file, current: undefined, hosts } }
  })

/** Throws UsageError when there is no such host. */
export const useHost = (env: NodeJS.ProcessEnv, name: string): Promise<void> =>
  changeHosts(env, (text, file) => ({
    text: `current = ${JSON.stringify(name)}\n${withoutCurrent(text)}`,
    wanted: { ...file, current: name, hosts: knownHosts(file, name) },
  }))

type Hosts = Omit<HostsFile, 'path'>

const holdsSecrets = ({ hosts, fleets = {} }: Hosts): boolean =>
  Object.values(hosts).some(({ secret, token }) => secret !== undefined || token !== undefined) ||
  Object.values(fleets).some(({ secret, url }) => secret !== undefined || url.includes('@'))

const faultOf = (path: string, error: unknown): Failure =>
  new Failure(`${path}: ${(error as Error).message.split('\n')[0]}`)

/** Loaded only where there may be a file: it takes as long as all the rest of newdt. */
const loadParser = async () => {
  const [{ parse }, { hostsSchema }] = await Promise.all([import('smol-toml'), import('./hosts-schema.ts')])
  return (text: string): Hosts => {
    const { data, error } = hostsSchema.safeParse(parse(text))
    if (data) return data
    throw new Error(
      error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; '),
    )
  }
}

const knownHosts = ({ hosts, fleets = {} }: Hosts, name: string): Hosts['hosts'] => {
  if (!Object.hasOwn(hosts, name) && Object.hasOwn(fleets, name))
    throw new UsageError(`${name}: that is a fleet, which --fleet ${name} or NEWDT_FLEET=${name} names`)
  if (!Object.hasOwn(hosts, name)) throw new UsageError(`${name}: there is no such host; newdt host ls`)
  return hosts
}

const withoutCurrent = (text: string): string =>
  text.replace(/^[ \t]*(current|"current"|'current')[ \t]*=.*(\r?\n)?/m, '')

/**
 * Without its head, its keys, and the comments between them and right below, up to a blank line. All other comments
 * stay: those that stand right above the next table, and those at the end of the file, may be of anything.
 */
const withoutTable = (text: string, name: string): string => {
  const lines = text.split('\n').map(line => ({ line, kind: kindOf(line) }))
  const heads = [`[hosts.${name}]`, `[hosts."${name}"]`]
  const start = lines.findIndex(({ line }) => heads.includes(line.split('#')[0]!.trim()))
  if (start < 0) return text
  const below = lines.slice(start + 1)
  const next = below.findIndex(({ kind }) => kind === 'head')
  const own = next < 0 ? below : below.slice(0, next)
  const keys = own.findLastIndex(({ kind }) => kind === 'key') + 1
  const behind = own.slice(keys)
  const comments = behind.findIndex(({ kind }) => kind !== 'comment')
  const isEnd = next < 0 && behind.slice(comments).every(({ kind }) => kind === 'blank')
  const end = start + 1 + keys + (comments < 0 || isEnd ? 0 : comments)
  const gap = lines[end]?.kind === 'blank' ? 1 : 0
  lines.splice(start, end + gap - start)
  return lines.map(({ line }) => line).join('\n')
}

const kindOf = (line: string): 'blank' | 'comment' | 'head' | 'key' => {
  const text = line.trim()
  if (text === '') return 'blank'
  return text.startsWith('#') ? 'comment' : text.startsWith('[') ? 'head' : 'key'
}

/** Only if the file then says what is wanted: it may be written in ways that this does not know. */
const changeHosts = async (
  env: NodeJS.ProcessEnv,
  edit: (text: string, file: Hosts) => { text: string; wanted: Hosts },
): Promise<void> => {
  const path = hostsPath(env)
  await readHosts(env) // Refuses a file that others may read.
  // One that is new must be one that can be read afterwards.
  await refuseOpenWay(path, isPrivateGroup).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw faultOf(path, error)
  })
  await makeDirectory(dirname(path))
  const parse = await loadParser()
  await changeFile(path, async (before = '') => {
    const { mark, text, asBefore } = bare(before)
    const edited = edit(
      text,
      parsedOr(faultOf, path, () => parse(text)),
    )
    const after = mark + asBefore(edited.text)
    const says = parsedOr(cannotChange, path, () => parse(after))
    if (!isDeepStrictEqual(plain(says), plain(edited.wanted))) throw cannotChange(path)
    return after
  })
}

const cannotChange = (path: string): Failure =>
  new Failure(`${path}: it is written in a way that newdt cannot change; please edit it by hand`)

const parsedOr = (
  failureOf: (path: string, error: unknown) => Failure,
  path: string,
  parse: () => Hosts,
): Hosts => {
  try {
    return parse()
  } catch (error) {
    throw failureOf(path, error)
  }
}

/** Without the byte order mark that some editors write; and how to give it its own line ends again. */
const bare = (before: string): { mark: string; text: string; asBefore(text: string): string } => {
  const mark = before.startsWith('\uFEFF') ? '\uFEFF' : ''
  const isCrLf = before.includes('\r\n') && !/(?<!\r)\n/.test(before)
  return {
    mark,
    text: before.slice(mark.length),
    asBefore: text => (isCrLf ? text.replaceAll(/\r?\n/g, '\r\n') : text),
  }
}

/** Without what is undefined. */
const plain = (hosts: Hosts): unknown => JSON.parse(JSON.stringify(hosts))
