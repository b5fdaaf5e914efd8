import { connect as connectTls } from 'node:tls'
import type { Agent } from '../../../lib/client/client.ts'
import { LIMIT_NAMES } from '../../../lib/process/types.ts'
import { askHost, isInFleet } from '../ask.ts'
import type { Cli } from '../cli.ts'
import { failureLine } from '../failure.ts'
import { readHosts } from '../hosts-file.ts'
import { type OutputFormat, outputOption, printRows } from '../output-format.ts'
import type { Column } from '../table.ts'
import { fleetOption, type Verb, verb } from '../verb.ts'
import { type Host, type NamedHost, whichHost, whichHosts } from '../which-host.ts'

/** What is known of a host once it was asked; null is what could not be found out. */
interface Row {
  name: string
  isGood: boolean
  version: string | null
  /** As whom the agent knows us, and what that may do. */
  key: string | null
  rights: string[] | null
  running: number | null
  limit: number | null
  /** How far the agent's clock is ahead of ours, in seconds; answers tell it to a second. */
  clockSkewSeconds: number | null
  tlsDaysLeft: number | null
  /** The limits that it cannot keep. */
  missingLimits: string[] | null
  /** Whether jobs can run there as other users. */
  otherUsers: boolean | null
  /** What is missing there, for `users` and for each of the limits that it cannot keep. */
  missing: Record<string, string> | null
  note: string
}

/** Asks hosts who they are, and as whom they know us. */
export const hostCheck: Verb = cli =>
  verb('check', 'ask hosts: version, rights, slots, clock, days that the certificate is good', [
    'newdt host check',
    "newdt host check db1 'web*'",
    'newdt host check --fleet prod',
  ])
    .argument('[name...]', 'names or patterns, or a URL; all hosts of the file, or of the fleet, by default')
    .addOption(fleetOption())
    .addOption(outputOption())
    .action(async (names: string[], { output }: { output: OutputFormat }) => {
      const hosts = await (isInFleet(cli) ? agentsOf(cli, names) : hostsOf(cli.env, names))
      const rows = await Promise.all(hosts.map(check))
      await printRows(cli, rows, COLUMNS, output)
      if (!rows.every(({ isGood }) => isGood)) cli.exitCode = 1
    })

/** Those of a fleet that are there. */
const agentsOf = async (cli: Cli, names: string[]): Promise<NamedHost[]> => {
  const fleet = await (await import('../open-fleet.ts')).openFleet(cli)
  return names.length > 0 ? fleet.matching(names.join(',')) : fleet.all()
}

const hostsOf = async (env: NodeJS.ProcessEnv, names: string[]): Promise<NamedHost[]> => {
  const lone = async (name?: string): Promise<NamedHost[]> => {
    const host = await whichHost(env, name)
    return [{ name: host.name, load: async () => host }]
  }
  if (names.length > 0) {
    const found = names.map(name => (/[:/]/.test(name) ? lone(name) : whichHosts(env, name)))
    return (await Promise.all(found)).flat()
  }
  const { hosts } = await readHosts(env)
  return Object.keys(hosts).length === 0 ? lone() : whichHosts(env, '*')
}

/** Never rejects: what is wrong with a host is what is asked for. */
const check = async ({ name, load }: NamedHost): Promise<Row> => {
  const empty = {
    version: null,
    key: null,
    rights: null,
    running: null,
    limit: null,
    missingLimits: null,
    otherUsers: null,
    missing: null,
  }
  const bad = (error: unknown, rest: Pick<Row, 'clockSkewSeconds' | 'tlsDaysLeft'>): Row => {
    return { name, isGood: false, ...empty, ...rest, note: failureLine(error) }
  }
  try {
    const host = await load()
    const tlsDaysLeft = await daysLeft(host).catch(() => null)
    const { status, skew: clockSkewSeconds } = await ask(host)
    if (!status.ok) return bad(status.error, { clockSkewSeconds, tlsDaysLeft })
    const { version, caller, running, limit, draining, stopping, limits, users } = status.value
    const state = stopping ? 'stopping' : draining ? 'draining' : ''
    const missing = missingOf({ users, ...limits })
    const note = [state, ...reasonsOf(missing)].filter(text => text !== '').join('; ')
    const known = {
      version,
      key: caller.id,
      // A message takes only the right of its subject with it.
      rights: host.fetch ? null : caller.rights,
      running,
      limit,
      // Agents of before do not tell.
      missingLimits: limits ? namesOfMissing(limits) : null,
      otherUsers: users ? 'possible' in users : null,
      missing: users && limits ? missing : null,
    }
    return { name, isGood: state === '', ...known, clockSkewSeconds, tlsDaysLeft, note }
  } catch (error) {
    return bad(error, { clockSkewSeconds: null, tlsDaysLeft: null })
  }
}

/** Agents of before do not tell. */
const missingOf = (all: Record<string, object | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(all).flatMap(([name, keeper = {}]) =>
      'missing' in keeper ? [[name, String(keeper.missing)]] : [],
    ),
  )

/** Most limits lack the same: "users: …", "memory,cpus: …". */
const reasonsOf = (missing: Record<string, string>): string[] =>
  Object.entries(Object.groupBy(Object.keys(missing), name => missing[name]!)).map(
    ([reason, names = []]) => `${names.join(',')}: ${reason}`,
  )

const namesOfMissing = (limits: Agent['limits']): string[] =>
  Object.entries(limits).flatMap(([name, keeper]) => ('missing' in keeper ? [name] : []))

const ask = async (host: Host) => {
  let skew: number | null = null
  const { client } = await askHost(host, response => {
    const date = Date.parse(response.headers.get('date') ?? '')
    // It has whole seconds: half a second more is right on average.
    if (!Number.isNaN(date)) skew = Math.round((date + 500 - Date.now()) / 1000)
  })
  const status = await client.status()
  return { status, skew: skew as number | null }
}

/** Of the certificate that a server shows; null without TLS. Rejects when there is no connection. */
const daysLeft = ({ url, tls }: Host): Promise<number | null> => {
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'https:') return Promise.resolve(null)
  return new Promise((resolve, reject) => {
    const servername = /^[\d.]+$|:/.test(hostname) ? '' : hostname
    // Also of one that is not trusted: that it has ended may be why.
    const options = {
      ...tls,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      servername,
      rejectUnauthorized: false,
    }
    const socket = connectTls(options, () => {
      const until = Date.parse(socket.getPeerCertificate().valid_to)
      socket.destroy()
      resolve(Number.isNaN(until) ? null : Math.floor((until - Date.now()) / DAY_MS))
    })
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no answer')))
    socket.on('error', reject)
  })
}

const DAY_MS = 86_400_000
const CONNECT_MS = 10_000
/** What is not kept, where that is less than all of it. */
const limitsText = (missing: string[] | null): string => {
  if (missing === null) return '-'
  if (missing.length === 0) return 'all'
  return missing.length === LIMIT_NAMES.length ? 'none' : `no ${missing.join(',')}`
}

const orDash = (value: unknown): string => (value === null ? '-' : String(value))

const COLUMNS: Column<Row>[] = [
  { head: 'NAME', text: ({ name }) => name },
  {
    head: 'STATE',
    text: ({ isGood }) => (isGood ? 'ok' : 'failed'),
    colour: ({ isGood }) => (isGood ? 'green' : 'red'),
  },
  { head: 'VERSION', text: ({ version }) => orDash(version) },
  { head: 'KEY', text: ({ key }) => orDash(key) },
  { head: 'RIGHTS', text: ({ rights }) => rights?.join(',') ?? '-' },
  { head: 'SLOTS', text: ({ running, limit }) => (limit === null ? '-' : `${running}/${limit}`) },
  {
    head: 'CLOCK',
    text: ({ clockSkewSeconds: skew }) => (skew === null ? '-' : `${skew > 0 ? '+' : ''}${skew}s`),
  },
  { head: 'TLS DAYS', text: ({ tlsDaysLeft }) => orDash(tlsDaysLeft) },
  {
    head: 'USERS',
    text: ({ otherUsers }) => (otherUsers === null ? '-' : otherUsers ? 'yes' : 'no'),
  },
  { head: 'LIMITS', text: ({ missingLimits }) => limitsText(missingLimits) },
  { head: 'NOTE', text: ({ note }) => note },
]
