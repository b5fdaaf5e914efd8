import type { Credentials } from '../../lib/client/client.ts'
import { agentUrl } from './session.ts'
import { isToken } from './sign-in/typed-credentials.ts'

export interface KeptCredentials {
  /** None where the certificate of the browser proves who asks. */
  credentials?: Credentials | undefined
}

/** Keeps them for this tab, until it is closed; not where the browser has no room, or forbids it. */
export const keepCredentials = (kept: KeptCredentials): void =>
  void ifPossible(() => sessionStorage.setItem(place(), JSON.stringify(kept)))

export const forgetCredentials = (): void => void ifPossible(() => sessionStorage.removeItem(place()))

/** Undefined where nothing is kept. What this version has not kept is removed. */
export const readCredentials = (): KeptCredentials | undefined => {
  const text = ifPossible(() => sessionStorage.getItem(place()))
  if (typeof text !== 'string') return undefined
  const kept: unknown = ifPossible(() => JSON.parse(text))
  if (isKept(kept)) return kept
  forgetCredentials()
  return undefined
}

const ifPossible = <T>(act: () => T): T | undefined => {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** One for each agent: behind a proxy several have the same origin, each below a path. */
const place = (): string => `newdt-credentials ${agentUrl().pathname}`

const isKept = (value: unknown): value is KeptCredentials => {
  if (!isObject(value)) return false
  const { credentials } = value
  if (credentials === undefined) return true
  return (
    isObject(credentials) &&
    [credentials.token, credentials.secret].some(one => typeof one === 'string' && one !== '') &&
    (credentials.token === undefined || isToken(String(credentials.token)))
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
