import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { AddressList } from '../lib/security/address-list.ts'
import type { Client, ClientCertificate } from '../lib/security/authenticator.ts'
import { isLoopback } from './loopback.ts'

/** Who sends a request; behind proxies that are trusted it is what they say. */
export const clientOf = (request: IncomingMessage, proxies: AddressList | undefined): Client => {
  const { socket, headers } = request
  const address = socket.remoteAddress ?? ''
  const isEncrypted = socket instanceof TLSSocket
  const isPrivate = isEncrypted || isLoopback(address)
  const certificate = isEncrypted ? certificateOf(socket) : undefined
  const header = headers['x-forwarded-for']
  if (header === undefined || !proxies?.has(address)) return { address, isPrivate, isEncrypted, certificate }
  const forwarded = forwardedFor(String(header), proxies)
  const wasEncrypted = isPrivate && headers['x-forwarded-proto'] === 'https'
  return {
    address: forwarded ?? address,
    isPrivate: wasEncrypted || (isPrivate && forwarded !== undefined && isLoopback(forwarded)),
    isEncrypted: wasEncrypted,
    certificate: undefined, // It is the proxy's.
  }
}

/** The last address that no trusted proxy has: those before it anybody could have written. */
const forwardedFor = (header: string, proxies: AddressList): string | undefined => {
  const addresses = header.split(',').map(address => address.trim())
  const last = addresses.findLast(address => !proxies.has(address))
  return last !== undefined && isIP(last) !== 0 ? last : undefined
}

/** The certificate that the client has shown, and whether it is good. */
const certificateOf = (socket: TLSSocket): ClientCertificate | undefined => {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  return {
    fault: socket.authorized ? undefined : String(socket.authorizationError),
    subject: certificate.subject.split('\n').reverse().join(','),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}
