import type { NatsConnection } from '@nats-io/nats-core'
import { nearest } from '../../lib/base/nearest.ts'
import type { Credentials } from '../../lib/client/client.ts'
import { createNatsFetch } from '../../lib/fleet/fetch-by-nats.ts'
import { type FleetHost, findHosts } from '../../lib/fleet/find-hosts.ts'
import { connectFleet, type Fleet } from '../../lib/fleet/fleet.ts'
import { authorityOf, type FleetLabel, isHostName } from '../../lib/fleet/names.ts'
import { type Cli, fleetNameOf } from './cli.ts'
import { connectEngine } from './connect-engine.ts'
import { Failure, UsageError } from './failure.ts'
import { type FleetAddress, whichFleet } from './which-fleet.ts'
import { globOf, type Host, hintFor, type NamedHost } from './which-host.ts'

/** A fleet whose engine newdt is connected to. */
export interface OpenFleet {
  name: string
  connection: NatsConnection
  /** Those that are there and have all of these labels, by name. */
  hosts(labels?: readonly FleetLabel[]): Promise<FleetHost[]>
  /** One agent. Throws UsageError for what is no name of one, and Failure when nothing says who asks. */
  host(name: string, controlAs?: 'run' | 'admin'): Host
  /** To ask all of them. */
  all(labels?: readonly FleetLabel[]): Promise<NamedHost[]>
  /** Those whose names match one of the patterns. Rejects with UsageError for none. */
  matching(patterns: string): Promise<NamedHost[]>
  /** Throws Failure when nothing says who asks. */
  fleet(controlAs?: 'run' | 'admin'): Fleet
}

/** The connection is closed when newdt ends. */
export const openFleet = async (cli: Cli, timeoutMs?: number): Promise<OpenFleet> => {
  const named = fleetNameOf(cli)
  if (named === undefined)
    throw new UsageError('which fleet? --fleet nats://engine:4222, or a name of hosts.toml, or NEWDT_FLEET')
  const address = await whichFleet(cli.env, named)
  const connection = await connectEngine(address, timeoutMs)
  cli.closers.push(() => connection.close())
  return fleetOn(connection, address)
}

const fleetOn = (connection: NatsConnection, { name, inbox, credentials }: FleetAddress): OpenFleet => {
  const fetches = {
    run: createNatsFetch(connection, { inbox, controlAs: 'run' }),
    admin: createNatsFetch(connection, { inbox, controlAs: 'admin' }),
  }
  const hosts: OpenFleet['hosts'] = async (labels = []) => {
    const found = await findHosts(connection, { inbox }).catch(error => {
      throw new Failure(
        `${name}: ${(error as Error).message}; whoever runs it says who may publish to "$SRV.STATS.newdt-auto"`,
      )
    })
    for (const { name } of found) seen.add(name)
    return found.filter(host => labels.every(label => host.labels[label.name] === label.value))
  }
  /** Names of agents that were there. */
  const seen = new Set<string>()
  /** Looked up once, for the hint of a name that nobody has. */
  let known: Promise<string[]> | undefined
  const explain = async (error: unknown, host: string): Promise<unknown> => {
    if (Object(error).fault !== 'nobody-there') return error
    if (seen.has(host))
      return Object.assign(error as Error, { message: 'no agent of this name is there any more' })
    known ??= hosts().then(
      found => found.map(one => one.name),
      () => [],
    )
    const meant = nearest(
      host,
      (await known).filter(one => one !== host),
    )
    return Object.assign(error as Error, {
      message: `no agent of this name is there${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    })
  }
  const host: OpenFleet['host'] = (wanted, controlAs = 'run') => {
    if (!isHostName(wanted))
      throw new UsageError(`${wanted}: agents of a fleet are called such as db1, in lower case`)
    return {
      name: wanted,
      url: `http://${authorityOf({ to: 'host', host: wanted })}/`,
      credentials: who(name, credentials),
      async fetch(url, init) {
        try {
          const response = await fetches[controlAs](url, init)
          seen.add(wanted)
          return response
        } catch (error) {
          throw await explain(error, wanted)
        }
      },
      ...(controlAs === 'run' && { asAdmin: () => host(wanted, 'admin') }),
    }
  }
  const toNamed = (one: { name: string }): NamedHost => ({ name: one.name, load: async () => host(one.name) })
  const all: OpenFleet['all'] = async labels => distinct(await hosts(labels)).map(toNamed)
  return {
    name,
    connection,
    hosts,
    host,
    all,
    async matching(patterns) {
      const found = await all()
      const globs = patterns.split(',').map(text => text.trim())
      const stray = globs.find(glob => !found.some(one => globOf(glob).test(one.name)))
      if (stray !== undefined)
        throw new UsageError(
          `${stray}: no agent of ${name} that is there is called so; ${hintFor(stray)}newdt hosts`,
        )
      return found.filter(one => globs.some(glob => globOf(glob).test(one.name)))
    },
    fleet: (controlAs = 'run') =>
      connectFleet(connection, { credentials: who(name, credentials), inbox, controlAs }),
  }
}

/** Nothing would be gained by asking without. */
const who = (name: string, credentials: Credentials | undefined): Credentials => {
  if (credentials) return credentials
  throw new Failure(
    `${name}: say who asks its agents: NEWDT_SECRET (and NEWDT_KEY), or secret_file or private_key_file of the fleet in hosts.toml`,
  )
}

const distinct = <T extends { name: string }>(all: readonly T[]): T[] =>
  all.filter(({ name }, index) => all.findIndex(one => one.name === name) === index)
