import { type ReadonlySignal, signal } from '@preact/signals'
import {
  type Agent,
  type AgentClient,
  type ClientError,
  type Credentials,
  connect,
} from '../../lib/client/client.ts'
import { fetchFromAgent } from './agent-clock.ts'
import { language } from './language.ts'

/** The agent, as whoever has signed in sees it. */
export interface Session {
  /** What proves to the agent who has signed in. */
  proof: 'token' | 'secret' | 'certificate'
  client: AgentClient
  /** The same for streams, which go on for as long as the page is there: it tries again without end. */
  live: AgentClient
  /** What the agent has told of itself when one signed in, and whenever it was asked anew. */
  agent: ReadonlySignal<Agent>
  /** Why the agent did not tell it to this key when it was asked last; undefined when it did. */
  refusal: ReadonlySignal<ClientError | undefined>
  /** Whether anybody answered then. */
  isAnswering: ReadonlySignal<boolean>
  /** Asks it anew. */
  refresh(): Promise<void>
  can(right: Agent['caller']['rights'][number]): boolean
}

/** `first` is what the agent tells of itself to whoever has these credentials. */
export const createSession = (credentials: Credentials | undefined, first: Agent): Session => {
  const agent = signal(first)
  const refusal = signal<ClientError | undefined>(undefined)
  const isAnswering = signal(true)
  const connectFor = (patienceMs: number) =>
    connect(agentUrl().href, { credentials, language, patienceMs, fetch: fetchFromAgent })
  const client = connectFor(PATIENCE_MS)
  return {
    proof: credentials === undefined ? 'certificate' : 'token' in credentials ? 'token' : 'secret',
    client,
    live: connectFor(Number.POSITIVE_INFINITY),
    agent,
    refusal,
    isAnswering,
    async refresh() {
      const asked = await client.status()
      isAnswering.value = asked.ok || !NO_ANSWER.has(asked.error.word)
      if (asked.ok) {
        agent.value = asked.value
        refusal.value = undefined
      } else if (asked.error.status === 401 || asked.error.status === 403) refusal.value = asked.error
    },
    can: right => agent.value.caller.rights.includes(right),
  }
}

/** The name of the agent's host; the one that it was asked by where it is an older one. */
export const hostOf = ({ agent }: Pick<Session, 'agent'>): string => agent.value.host?.name ?? agentUrl().host

/** The directory of the page: behind a proxy the agent may be below a path. */
export const agentUrl = (): URL => new URL('.', location.href)

const NO_ANSWER = new Set(['unreachable', 'not-an-agent'])

const PATIENCE_MS = 10_000
