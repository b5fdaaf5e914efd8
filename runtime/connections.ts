import type { EventEmitter } from 'node:events'
import type { Server, Socket } from 'node:net'
import { refusal } from '../handlers/http/refusal.ts'
import { createFairShare } from '../lib/base/fair-share.ts'
import type { Log } from '../lib/base/log.ts'
import { createPassingMap } from '../lib/base/passing-map.ts'
import type { AddressList } from '../lib/security/address-list.ts'
import { networkOf } from '../lib/security/guess-limiter.ts'
import { createOwedAnswers, oldestOfLargest } from './owed-answers.ts'

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
}

/** An answer to a request of which it is known by now whose it is. */
export interface KnownAnswer extends Pick<EventEmitter, 'once'> {
  req: {
    method?: string | undefined
    client: { address: string }
    notes: { caller?: string }
  }
}

/**
 * Ends connections of others than who may connect, before a byte of them is parsed. Those who may share what there is.
 * When a network has its share, or nothing is left, the one that has most gives up its oldest connection on which no
 * answer is owed; but none gives way to one that has as many, except to a proxy. Where that makes no room, the new
 * connection is closed. Answers are owed on so many that some are always left to give way.
 */
export const limitConnections = (server: Server, limits: ConnectionLimits) => {
  const { most, allowed, proxies, log, now = () => performance.now() } = limits
  const share = createFairShare(most)
  const isNews = createNews(now)
  /** By their ends; the oldest first. */
  const open = createPassingMap<string, Connection>()
  const owed = createOwedAnswers(Math.floor(most * OWED), ({ connection: end, client }) => {
    // Nothing is owed on one that is closed.
    const connection = open.get(end)!
    remove(connection)
    cutOff(connection.socket, client, TOO_MANY_ANSWERS)
  })

  const cutOff = (socket: Socket, client: string, reason: string): void => {
    socket.destroy()
    if (isNews(client)) log.warn({ client }, `cut off: ${reason}`)
  }

  const add = (socket: Socket, network: string): void => {
    const connection = { socket, network, end: endOf(socket) }
    const former = open.get(connection.end)
    if (former) remove(former) // It is closed, though its event comes later.
    open.set(connection.end, connection)
    socket.once('close', () => remove(connection))
  }

  const remove = (connection: Connection): void => {
    if (open.get(connection.end) !== connection) return
    open.delete(connection.end)
    owed.removeAll(connection.end)
    share.giveBack(connection.network, 1)
  }

  /** Whether there is room now. */
  const makeRoomFor = (network: string, isProxy: boolean): boolean => {
    const idle = open.values().filter(connection => !owed.has(connection.end))
    const connection = oldestOfLargest(idle, {
      holderOf: one => one.network,
      share,
      asking: network,
      // Most of what it has is others'.
      count: isProxy ? 0 : share.of(network),
    })
    if (!connection) return false
    remove(connection)
    cutOff(connection.socket, connection.network, TOO_MANY)
    return true
  }

  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    if (allowed && !allowed.has(address))
      return cutOff(socket, address, 'AGENT_ALLOW does not have its address')
    const network = networkOf(address)
    const isProxy = proxies?.has(address) ?? false
    const isFree = isProxy ? share.left() > 0 : share.hasRoom(network, 1)
    if (!isFree && !makeRoomFor(network, isProxy)) return cutOff(socket, network, TOO_MANY)
    share.take(network, 1)
    add(socket, network)
  })

  /**
   * Has the connection of an answer not given up for another connection until the answer is over. Returns whether it is
   * kept: where more would be owed to whom it is for than may be, the connection is closed.
   */
  const tryToKeep = (
    socket: Socket,
    answer: Pick<EventEmitter, 'once'>,
    known: { caller?: string; client?: string; isRepeatable: boolean },
  ): boolean => {
    const connection = open.get(endOf(socket))
    if (!connection) return true
    const { network, end } = connection
    const one = { connection: end, caller: network, client: network, ...known }
    const settle = owed.add(one)
    if (settle) {
      answer.once('close', settle)
      return true
    }
    remove(connection)
    cutOff(connection.socket, one.client, TOO_MANY_ANSWERS)
    return false
  }

  return {
    tryToKeep,
    /** The same. Throws AgentError incomplete-body when it is not kept: nothing is begun that nobody would hear of. */
    keep(socket: Socket, answer: KnownAnswer): void {
      const { method = '', client, notes } = answer.req
      const known = { ...notes, client: networkOf(client.address), isRepeatable: REPEATABLE.has(method) }
      if (!tryToKeep(socket, answer, known)) throw refusal('incomplete-body')
    },
  }
}

/** The rest is for whoever has still to say who they are. */
const OWED = 0.95

const REPEATABLE = new Set(['GET', 'HEAD'])

const TOO_MANY = 'it has too many connections'
const TOO_MANY_ANSWERS = 'it waits for too many answers'

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
