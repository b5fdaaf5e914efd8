import { hash } from 'node:crypto'
import { isIPv6, SocketAddress } from 'node:net'
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import { AgentError, failure } from '../base/errors.ts'
import type { Authentication, Authenticator, Client, Credentials } from './authenticator.ts'

export interface GuessLimits {
  /** How many wrong credentials an address may try within a minute… */
  guesses?: number
  /** …before none of its is looked at for so long, in seconds. */
  pauseS?: number
}

/**
 * Slows down who guesses: after too many wrong credentials from an address it is not even looked at what it sends, for
 * a few seconds. Credentials that were right a short while ago pass meanwhile: who shares the address with somebody
 * that guesses is not locked out.
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

  const refuseWhoGuesses = async (network: string, digest: string | undefined): Promise<void> => {
    if (counts.wrong === 0) return // As it nearly always is.
    const used = await limiter.get(network)
    if (!used || used.consumedPoints <= guesses || (digest && known.has(digest))) return
    counts.unseen++
    throw failure('too-many-guesses', { seconds: Math.ceil(used.msBeforeNext / 1000) })
  }

  return {
    /** As the authenticator's own; throws AgentError too-many-guesses too. */
    async authenticate(credentials: Credentials, client: Client): Promise<Authentication> {
      const network = networkOf(client.address)
      const proof = proofOf(credentials)
      const digest = proof === undefined ? undefined : digestOf(network, proof)
      await refuseWhoGuesses(network, digest)
      try {
        const authentication = authenticator.authenticate(credentials, client)
        if (digest) remember(digest)
        return authentication
      } catch (error) {
        if (isGuess(error)) {
          counts.wrong++
          limiter.consume(network).catch(() => {}) // Rejects when there were too many; the next one sees it.
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

/** What a client sends again and again; undefined where each request has one of its own. */
const proofOf = (credentials: Credentials): string | undefined => {
  if (credentials.kind === 'signature') return `${credentials.signAt} ${credentials.sign}`
  return credentials.kind === 'token' ? credentials.token : undefined
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
