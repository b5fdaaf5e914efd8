import { hash } from 'node:crypto'
import { isIPv6, SocketAddress } from 'node:net'
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import { AgentError, failure } from '../base/errors.ts'
import type { Authentication, Authenticator, Client, Credentials } from './authenticator.ts'
import { parseMessageSignature, type SignableMessage } from './message-signature.ts'

export interface GuessLimits {
  /** How many wrong credentials an address may try within a minute… */
  guesses?: number
  /** …before none of its is looked at for so long, in seconds. */
  pauseS?: number
}

/**
 * Slows down who guesses: after too many wrong credentials from an address it is not even looked at what it sends, for
 * a few seconds. Who shares the address is not locked out: signatures and tokens that were right there before pass
 * meanwhile. A signature of a message (RFC 9421) is never the same twice, so one by a key that has signed there before
 * is looked at; wrong ones for that key are counted for themselves. A certificate is proved by TLS, and no guess.
 */
export const createGuessLimiter = (
  authenticator: Authenticator,
  { guesses = GUESSES, pauseS = PAUSE_S }: GuessLimits = {},
) => {
  const limiter = new RateLimiterMemory({ points: guesses, duration: WINDOW_S, blockDuration: pauseS })
  const known = new Set<string>()
  const counts = { wrong: 0, unseen: 0 }

  let latest = { network: '', proof: '', digest: '' }
  /** What is remembered of credentials: a client uses the same again and again. */
  const digestOf = (network: string, proof: string): string => {
    if (latest.proof !== proof || latest.network !== network) {
      latest = { network, proof, digest: hash('sha256', `${network}\n${proof}`) }
    }
    return latest.digest
  }

  let newest: string | undefined
  const remember = (digest: string): void => {
    if (digest === newest) return
    newest = digest
    known.delete(digest)
    known.add(digest)
    if (known.size > MOST_KNOWN) known.delete(known.values().next().value!)
  }

  /** For how many seconds no more is looked at. */
  const pauseOf = async (bucket: string): Promise<number> => {
    const used = await limiter.get(bucket)
    return used && used.consumedPoints > guesses ? Math.ceil(used.msBeforeNext / 1000) : 0
  }

  /** What a wrong one counts for. Rejects when it is not to be looked at. */
  const bucketOf = async (network: string, credentials: GuessableCredentials): Promise<string> => {
    if (counts.wrong === 0) return network // As it nearly always is.
    let seconds = await pauseOf(network)
    if (seconds === 0) return network
    const name = nameOf(credentials)
    if (known.has(digestOf(network, name))) {
      if (credentials.kind !== 'message-signature') return network
      const own = `${network} ${name}`
      seconds = await pauseOf(own)
      if (seconds === 0) return own
    }
    counts.unseen++
    throw failure('too-many-guesses', { seconds })
  }

  return {
    /** As the authenticator's own; throws AgentError too-many-guesses too. */
    async authenticate(credentials: Credentials, client: Client): Promise<Authentication> {
      if (credentials.kind === 'certificate') return authenticator.authenticate(credentials, client)
      const network = networkOf(client.address)
      const bucket = await bucketOf(network, credentials)
      try {
        const authentication = authenticator.authenticate(credentials, client)
        remember(digestOf(network, nameOf(credentials, authentication)))
        return authentication
      } catch (error) {
        if (isGuess(error)) {
          counts.wrong++
          limiter.consume(bucket).catch(() => {}) // Rejects when there were too many; the next one sees it.
        }
        throw error
      }
    },

    /** How many credentials were wrong, and how many were not looked at. */
    counts: () => ({ ...counts }),
  }
}

const isGuess = (error: unknown): boolean =>
  error instanceof AgentError && ['signature-wrong', 'token-wrong'].includes(error.code)

type GuessableCredentials = Exclude<Credentials, { kind: 'certificate' }>

/** What they are remembered by: themselves, or, where each request has its own, the key that they claim to be of. */
const nameOf = (credentials: GuessableCredentials, authentication?: Authentication): string => {
  switch (credentials.kind) {
    case 'signature':
      return `${credentials.signAt} ${credentials.sign}`
    case 'token':
      return `token ${credentials.token}`
    case 'message-signature':
      return `key ${authentication?.caller.id ?? claimedKeyId(credentials.message)}`
  }
}

const claimedKeyId = (message: SignableMessage): string | undefined => {
  try {
    return parseMessageSignature(message).keyId
  } catch {
    return undefined
  }
}

/** An IPv6 network has at least 64 bits for its hosts, and who has one address there has all of them. */
export const networkOf = (address: string): string => {
  if (!address.includes(':')) return address
  if (!isIPv6(address) || /^::ffff:/i.test(address)) return address.replace(/^::ffff:/i, '')
  const [head = '', tail = ''] = new SocketAddress({ address, family: 'ipv6' }).address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === '' ? [] : tail.split(':')
  const groups = [...front, ...Array(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
  return `${groups.slice(0, 4).join(':')}::/64`
}

const GUESSES = 20
const WINDOW_S = 60
const PAUSE_S = 5
const MOST_KNOWN = 1000
