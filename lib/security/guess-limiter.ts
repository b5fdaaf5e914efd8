import { hash } from 'node:crypto'
import { isIPv6, SocketAddress } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { AgentError, failure } from '../base/errors.ts'
import type { Authentication, Authenticator, Client, Credentials } from './authenticator.ts'
import { createGuessBudget, type GuessBudget, type GuessBudgetOptions } from './guess-budget.ts'
import { parseMessageSignature, type SignableMessage } from './message-signature.ts'

export interface GuessLimits extends Partial<GuessBudgetOptions> {
  /** The same for what others pass on, who are not told apart. */
  relayed?: Pick<GuessBudgetOptions, 'most' | 'perSecond'>
  /** How long what is over the limit waits for its second chance, and then for its refusal. */
  waitMs?: number
}

/**
 * Slows down who guesses: so many wrong credentials from an address are looked at, then only a few a second. Those
 * beyond wait for a second, may be looked at then, and are refused else: who guesses has to wait for most answers, and
 * whoever shares the address and has the right credentials, which cost nothing, gets through within seconds. At once
 * pass signatures and tokens that were right there before. A signature of a message (RFC 9421) is never the same
 * twice, so one by a key that has signed there before has a budget of its own. A certificate is proved by TLS, and no
 * guess. What comes over an engine has no address: all of it has budgets of its own, so large that whoever guesses
 * there has to be busy to be in the way of others.
 */
export const createGuessLimiter = (authenticator: Authenticator, limits: GuessLimits = {}) => {
  const {
    waitMs = WAIT_MS,
    most = GUESSES,
    perSecond = GUESSES_PER_SECOND,
    relayed = RELAYED,
    ...rest
  } = limits
  const direct = createGuessBudget({ most, perSecond, ...rest })
  const passedOn = createGuessBudget({ ...rest, ...relayed })
  const known = new Set<string>()
  const counts = { wrong: 0, unseen: 0 }
  /** Of all that came directly and of all that were passed on, of each network, and whether one of a connection is there. */
  const waiting = { direct: 0, relayed: 0 }
  const waitingOf = new Map<string, number>()
  const heldBy = new WeakSet<object>()

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

  /** One that was right before may be so no more. Wrong ones for a key say nothing of the key. */
  const forget = (network: string, credentials: GuessableCredentials): void => {
    if (credentials.kind === 'message-signature') return
    known.delete(digestOf(network, nameOf(credentials)))
    newest = undefined
  }

  /**
   * What a wrong one is counted for; undefined when it is not to be looked at. Those that have waited come before those
   * that have just come: else who asks most often would get all looks.
   */
  const bucketOf = (
    budget: GuessBudget,
    network: string,
    credentials: GuessableCredentials,
    hasWaited: boolean,
  ): string | undefined => {
    if (budget.has(network) && (hasWaited || !waitingOf.has(network))) return network
    const name = nameOf(credentials)
    if (!known.has(digestOf(network, name))) return undefined
    if (credentials.kind !== 'message-signature') return network
    const own = `${network} ${name}`
    return budget.has(own) ? own : undefined
  }

  /**
   * Looks, if the budget allows it. Nothing is waited for between that and the count: many requests may come in the
   * same turn of the loop.
   */
  const look = (
    credentials: GuessableCredentials,
    client: Client,
    hasWaited: boolean,
  ): Authentication | undefined => {
    const network = networkOf(client.address)
    const budget = client.isRelayed ? passedOn : direct
    const bucket = bucketOf(budget, network, credentials, hasWaited)
    if (bucket === undefined) return undefined
    try {
      const authentication = authenticator.authenticate(credentials, client)
      remember(digestOf(network, nameOf(credentials, authentication)))
      return authentication
    } catch (error) {
      if (isGuess(error)) {
        counts.wrong++
        budget.spend(bucket)
        forget(network, credentials)
      }
      throw error
    }
  }

  /** One of a connection at a time, so that nobody can have more of them than connections. False when it may not. */
  const wait = async ({ address, connection = {}, isRelayed }: Client): Promise<boolean> => {
    const kind = isRelayed ? 'relayed' : 'direct'
    if (waiting[kind] >= MOST_WAITING[kind] || heldBy.has(connection)) return false
    const network = networkOf(address)
    const count = (change: number): void => {
      waiting[kind] += change
      const own = (waitingOf.get(network) ?? 0) + change
      if (own === 0) waitingOf.delete(network)
      else waitingOf.set(network, own)
    }
    heldBy.add(connection)
    count(1)
    await setTimeout(waitMs, undefined, { ref: false })
    count(-1)
    heldBy.delete(connection)
    return true
  }

  return {
    /** As the authenticator's own; rejects with AgentError too-many-guesses too. */
    async authenticate(credentials: Credentials, client: Client): Promise<Authentication> {
      if (credentials.kind === 'certificate') return authenticator.authenticate(credentials, client)
      const first = look(credentials, client, false)
      if (first) return first
      const second = (await wait(client)) && look(credentials, client, true)
      if (second) return second
      counts.unseen++
      throw failure('too-many-guesses', { seconds: RETRY_S })
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
/** Of the secrets of eight letters half would be tried in 600 years, and of those that the agent makes up never any. */
const GUESSES_PER_SECOND = 5
const WAIT_MS = 1000
const RETRY_S = 1
/** A secret of eight letters would be found in thirteen years at most: those of a fleet should be longer. */
const RELAYED = { most: 1000, perSecond: 500 }
/** Each is a request that is there anyway. Of those that are passed on there are some 1000 at most: others need room. */
const MOST_WAITING = { direct: 1000, relayed: 500 }
const MOST_KNOWN = 1000
