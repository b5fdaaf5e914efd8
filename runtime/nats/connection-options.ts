import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { NodeConnectionOptions } from '@nats-io/transport-node'
import { newInbox } from '../../lib/fleet/inbox.ts'
import type { EngineConfig } from './settings.ts'

/** Of an agent, or of newdt, which has read its files itself. */
type EngineAddress = Pick<EngineConfig, 'servers' | 'user' | 'inbox'> & { tls?: object | undefined }

/** What the library is told of an engine, whoever connects; without files of credentials. */
export const connectionOptions = ({ servers, user, tls, inbox }: EngineAddress): NodeConnectionOptions => ({
  servers: [...servers],
  // What the library itself is answered on, for the queue: the rest of it can be foreseen.
  inboxPrefix: newInbox(inbox),
  // An engine may name others, to which a password would go as it goes to this one.
  ignoreClusterUpdates: true,
  ...(user &&
    (user.password === undefined ? { token: user.name } : { user: user.name, pass: user.password })),
  ...(tls && { tls: withIdentity(tls, servers) }),
  timeout: 5000,
  // A connection of which nothing comes back is given up after that many.
  pingInterval: 10_000,
  maxPingOut: 2,
  noAsyncTraces: true,
})

/** The library hands these to Node as they are. */
const withIdentity = (tls: object, servers: readonly string[]): object => ({
  ...tls,
  checkServerIdentity: identityOf(servers),
})

/**
 * The library names no host where the engine is known by an address, and Node takes `localhost` then: such a certificate
 * is good when it is of one of the addresses.
 */
const identityOf =
  (servers: readonly string[]) =>
  (host: string, certificate: PeerCertificate): Error | undefined => {
    const hosts = servers.map(server => new URL(server).hostname.replace(/^\[|\]$/g, ''))
    const addresses = hosts.filter(one => isIP(one) !== 0)
    if (host !== 'localhost' || hosts.includes(host) || addresses.length === 0)
      return checkServerIdentity(host, certificate)
    const faults = addresses.map(address => checkServerIdentity(address, certificate))
    return faults.includes(undefined) ? undefined : faults[0]
  }
