import { type ReadonlySignal, signal } from '@preact/signals'
import {
  type Agent,
  ClientError,
  type Credentials,
  connect,
  type Result,
} from '../../../lib/client/client.ts'
import { isPassing, pause } from '../../../lib/client/retry.ts'
import { forgetClock } from '../agent-clock.ts'
import { forgetCredentials, keepCredentials, readCredentials } from '../kept-credentials.ts'
import { language } from '../language.ts'
import { agentUrl, createSession, type Session } from '../session.ts'

export interface SignInOptions {
  /** Keeps the credentials for this tab, until it is closed. */
  remember: boolean
}

/** Of signing in with what was kept for this tab. */
export interface SignInAgain {
  /** Until it has worked, was refused, or was given up. */
  isGoingOn: boolean
  /** Of the last try. */
  error?: ClientError
}

/** Who has signed in, and what signs in and out. */
export interface SignIn {
  session: ReadonlySignal<Session | undefined>
  again: ReadonlySignal<SignInAgain>
  /** Undefined when it has worked, else why not. */
  signIn(credentials: Credentials | undefined, options: SignInOptions): Promise<ClientError | undefined>
  /** With what was kept for this tab, if anything was; tries on while the agent cannot be reached. */
  signInAgain(): Promise<void>
  /** Ends that. What was kept stays until somebody has signed in. */
  giveUp(): void
  signOut(): void
}

/**
 * Credentials are in memory, and in sessionStorage if one asks for it: never in a cookie, which a browser would send by
 * itself for pages of other sites too.
 */
export const createSignIn = (): SignIn => {
  const session = signal<Session | undefined>(undefined)
  const again = signal<SignInAgain>({ isGoingOn: false })
  const givingUp = new AbortController()

  const signIn = async (
    credentials: Credentials | undefined,
    { remember, signal }: SignInOptions & { signal?: AbortSignal },
  ): Promise<ClientError | undefined> => {
    const asked = await askAgent(credentials, signal)
    if (!asked.ok) return asked.error
    if (remember) keepCredentials({ credentials })
    else forgetCredentials()
    again.value = { isGoingOn: false }
    session.value = createSession(credentials, asked.value)
    return undefined
  }

  return {
    session,
    again,
    signIn,

    async signInAgain() {
      const kept = readCredentials()
      if (!kept) return
      const { signal } = givingUp
      again.value = { isGoingOn: true }
      while (again.value.isGoingOn) {
        const error = await signIn(kept.credentials, { remember: true, signal })
        if (signal.aborted) return
        if (!error) return
        if (error.status === 401) forgetCredentials()
        again.value = { isGoingOn: isPassing(error), error }
        if (again.value.isGoingOn) await pause(Math.max(RETRY_MS, error.retryAfterMs ?? 0), signal)
      }
    },

    giveUp() {
      givingUp.abort()
      again.value = { isGoingOn: false }
    },

    signOut() {
      forgetCredentials()
      session.value = undefined
      forgetClock()
    },
  }
}

/** What it tells of itself to whoever has these credentials. */
const askAgent = async (
  credentials: Credentials | undefined,
  signal: AbortSignal | undefined,
): Promise<Result<Agent>> => {
  try {
    const client = connect(agentUrl().href, { credentials, language, patienceMs: FIRST_PATIENCE_MS })
    return await client.status({ signal })
  } catch (error) {
    // Of credentials that cannot be any.
    return { ok: false, error: new ClientError('credentials', (error as Error).message) }
  }
}

/** Somebody waits in front of the page. */
const FIRST_PATIENCE_MS = 2000
const RETRY_MS = 2000
