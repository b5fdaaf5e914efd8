import type { Server, Socket } from 'node:net'
import type { Log } from '../lib/base/log.ts'
import type { AddressList } from '../lib/security/address-list.ts'
import { networkOf } from '../lib/security/guess-limiter.ts'

export interface ConnectionLimits {
  /** How many may be open at a time; one more is closed without an answer. */
  most: number
  /** Who may connect; all when absent. */
  allowed?: AddressList | undefined
  /** Who connects for many others, and may have as many connections as there are. */
  proxies?: AddressList | undefined
  log: Log
}

/**
 * Ends connections before a byte of them is parsed: those of others than who may connect, and those of an address that
 * has too many, told to the log once for each. An address may have four times as many as are left for everybody else:
 * one alone gets most of them, and the next one still finds some.
 */
export const limitConnections = (server: Server, { most, allowed, proxies, log }: ConnectionLimits): void => {
  const count = createCount()
  const told = new Set<string>()
  const cutOff = (socket: Socket, address: string, reason: string): void => {
    socket.destroy()
    if (told.size >= MOST_TOLD || told.has(address)) return
    told.add(address)
    log.warn({ client: address }, `cut off: ${reason}`)
  }
  server.maxConnections = most
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    if (allowed && !allowed.has(address))
      return cutOff(socket, address, 'AGENT_ALLOW does not have its address')
    const network = networkOf(address)
    const isTooMany = count.of(network) >= SHARE * (most - count.all())
    if (isTooMany && !proxies?.has(address)) return cutOff(socket, network, 'it has too many connections')
    count.add(network, 1)
    socket.once('close', () => count.add(network, -1))
  })
}

const SHARE = 4
const MOST_TOLD = 1000

/** How many are open, of each network and of all. */
const createCount = () => {
  const counts = new Map<string, number>()
  let all = 0
  const of = (network: string): number => counts.get(network) ?? 0
  return {
    of,
    all: (): number => all,
    add(network: string, change: number): void {
      all += change
      const own = of(network) + change
      if (own === 0) counts.delete(network)
      else counts.set(network, own)
    },
  }
}
