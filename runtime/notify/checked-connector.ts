import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { AddressRules } from '../../lib/notify/address-rules.ts'

/** The host has no address that may be connected to. */
export class AddressNotAllowedError extends Error {}

export interface CheckedConnectorOptions {
  timeoutMs: number
  /** The addresses of a host, at least one. */
  findHost(host: string): Promise<string[]>
}

/**
 * Connects to none but allowed addresses. What is checked is what is connected to: a name that leads elsewhere when it
 * is asked for again changes nothing.
 */
export const checkedConnector = (
  { mayConnect }: AddressRules,
  { timeoutMs, findHost }: CheckedConnectorOptions,
): buildConnector.connector => {
  const checkedLookup: LookupFunction = (host, options, callback) => {
    const answer = (found: string[]): void => {
      const allowed = found.filter(mayConnect).map(address => ({ address, family: isIP(address) }))
      const [first] = allowed
      if (!first) callback(new AddressNotAllowedError(), '')
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    }
    findHost(host).then(answer, error => callback(error, ''))
  }
  const connect = buildConnector({ lookup: checkedLookup, timeout: timeoutMs } as buildConnector.BuildOptions)

  return (options, callback) => {
    // An address needs no look-up, so nothing else would check it.
    if (isIP(options.hostname) !== 0 && !mayConnect(options.hostname))
      return callback(new AddressNotAllowedError(), null)
    connect(options, (...[error, socket]) => {
      if (error) return callback(error, null)
      // Nothing has been sent yet.
      if (mayConnect(socket.remoteAddress ?? '')) return callback(null, socket)
      socket.destroy()
      callback(new AddressNotAllowedError(), null)
    })
  }
}
