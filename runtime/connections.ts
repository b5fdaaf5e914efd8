import type { EventEmitter } from 'node:events'
import type { Server, Socket } from 'node:net'
import { createFairShare } from '../lib/base/fair-share.ts'
import type { Log } from '../lib/base/log.ts'
import type { AddressList } from '../lib/security/address-list.ts'
import { networkOf } from '../lib/security/guess-limiter.ts'

export interface ConnectionLimits {
  /** How many may be open at a time. */
  most: number
  /** Who may connect; all when absent. */
  allowed?: AddressList | undefined
  /** Who connects for many others, and may have as many connections as there are. */
  proxies?: AddressList | undefined
  log: Log
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

interface Connection {
  socket: Socket
  end: string
  network: string
  /** Answers that are owed on it to callers who are known. */
  owed: number
}

/**
 * Ends connections of others than who may connect, before a byte of them is parsed. Those who may share what there is.
 * When a network has its share, or nothing is left, the one that has most gives up its oldest connection on which no
 * answer is owed; but none gives way to one that has as many. Where that makes no room, the new connection is closed.
 */
export const limitConnections = (server: Server, limits: ConnectionLimits) => {
  const { most, allowed, proxies, log, now = () => performance.now() } = limits
  const share = createFairShare(most)
  const isNews = createNews(now)
  /** By their ends; the oldest first. */
  const open = new Map<string, Connection>()

  const cutOff = (socket: Socket, client: string, reason: string): void => {
    socket.destroy()
    if (isNews(client)) log.warn({ client }, `cut off: ${reason}`)
  }

  const add = (socket: Socket, network: string): void => {
    const connection = { socket, network, end: endOf(socket), owed: 0 }
    const former = open.get(connection.end)
    if (former) remove(former) // It is closed, though its event comes later.
    open.set(connection.end, connection)
    socket.once('close', () => remove(connection))
  }

  const remove = (connection: Connection): void => {
    if (open.get(connection.end) !== connection) return
    open.delete(connection.end)
    share.giveBack(connection.network, 1)
  }

  /** Whether there is room now. */
  const makeRoomFor = (network: string): boolean => {
    const connection = mostDispensable(network)
    if (!connection) return false
    remove(connection)
    cutOff(connection.socket, connection.network, TOO_MANY)
    return true
  }

  const mostDispensable = (network: string): Connection | undefined => {
    let found: Connection | undefined
    let count = share.of(network)
    for (const connection of open.values()) {
      const { owed, network: holder } = connection
      const isFirstOfOwn = !found && holder === network
      if (owed > 0 || !(isFirstOfOwn || share.of(holder) > count)) continue
      found = connection
      count = share.of(holder)
    }
    return found
  }

  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    if (allowed && !allowed.has(address))
      return cutOff(socket, address, 'AGENT_ALLOW does not have its address')
    const network = networkOf(address)
    const isProxy = proxies?.has(address) ?? false
    const isFree = isProxy ? share.left() > 0 : share.hasRoom(network, 1)
    if (!isFree && !makeRoomFor(network)) return cutOff(socket, network, TOO_MANY)
    share.take(network, 1)
    add(socket, network)
  })

  return {
    /** Has the connection of an answer not given up for another until the answer is over. */
    keep(socket: Socket, answer: Pick<EventEmitter, 'once'>): void {
      const connection = open.get(endOf(socket))
      if (!connection) return
      connection.owed++
      answer.once('close', () => connection.owed--)
    },
  }
}

const TOO_MANY = 'it has too many connections'

/** What a connection has in common with the one of TLS on it. */
export const endOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`

/** Says whether one is to be told of: once an hour each, and so many an hour. */
const createNews = (now: () => number) => {
  const told = new Set<string>()
  let since = now()
  return (client: string): boolean => {
    if (now() - since >= NEWS_MS) {
      told.clear()
      since = now()
    }
    if (told.size >= MOST_TOLD || told.has(client)) return false
    told.add(client)
    return true
  }
}

const NEWS_MS = 3600_000
const MOST_TOLD = 1000
