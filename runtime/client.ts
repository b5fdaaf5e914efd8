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
  if (header === undefined || !proxies?.has(address))
    return { address, isPrivate, isEncrypted, certificate, connection: socket }
  const forwarded = forwardedFor(String(header), proxies)
  const wasEncrypted = isPrivate && headers['x-forwarded-proto'] === 'https'
  return {
    address: forwarded ?? address,
    isPrivate: wasEncrypted || (isPrivate && forwarded !== undefined && isLoopback(forwarded)),
    isEncrypted: wasEncrypted,
    certificate: undefined, // It is the proxy's.
    connection: socket,
  }
}

/** The last address that no trusted proxy has: those before it anybody could have written. */
const forwardedFor = (header: string, proxies: AddressList): string | undefined => {
  const addresses = header.split(',').map(item => withoutPort(item.trim()))
  const last = addresses.findLast(address => !proxies.has(address))
  return last !== undefined && isIP(last) !== 0 ? last : undefined
}

/** Some proxies write `192.0.2.7:4711` and `[2001:db8::7]:4711`. */
const withoutPort = (text: string): string => {
  const [, ipv6, ipv4] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? []
  return ipv6 ?? ipv4 ?? text
}

/** The certificate that the client has shown, and whether it is good. */
const certificateOf = (socket: TLSSocket): ClientCertificate | undefined => {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  return {
    fault: faultOf(socket, certificate.validTo),
    ...subjectOf(certificate.subject),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

/** Whether it is good was found out at the handshake; a connection may last longer than the certificate. */
const faultOf = ({ authorized, authorizationError }: TLSSocket, validTo: string): string | undefined => {
  if (!authorized) return String(authorizationError)
  return Date.parse(validTo) < Date.now() ? 'CERT_HAS_EXPIRED' : undefined
}

/**
 * As RFC 2253 writes it: the last name first. Node has one on each line, with ` + ` between those that belong together;
 * a line break or a plus sign of a value is escaped.
 */
const subjectOf = (lines: string): Pick<ClientCertificate, 'subject' | 'asciiSubject'> => {
  const names = lines.split('\n').reverse()
  const subject = names.map(name => name.split(' + ').reverse().join('+')).join(',')
  return { subject, asciiSubject: subject.replace(/[^\0-\x7f]+/g, escapeBytes) }
}

const escapeBytes = (text: string): string =>
  Buffer.from(text).toString('hex').toUpperCase().replace(/../g, '\\$&')
