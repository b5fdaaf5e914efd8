import { ClientError } from '../../lib/client/client.ts'
import { pause } from '../../lib/client/retry.ts'
import type { Agent } from './ask.ts'

interface PresenceOptions {
  /** Told when it is missed, and when it is there again. */
  say(line: string): Promise<void>
  everyMs?: number
  /** How long one that is missed may take to come back. */
  patienceMs?: number
}

/**
 * While something of an agent of a fleet is watched, asks now and then whether it is there: an agent that was killed says
 * nothing, and a job may be silent for long. `watch` is to stop by its signal when the agent is gone for good. Rejects
 * with ClientError, `gone`, then.
 */
export const whileThere = async <T>(
  { client, host }: Pick<Agent, 'client' | 'host'>,
  watch: (gone: AbortSignal) => Promise<T>,
  { say, everyMs = EVERY_MS, patienceMs = PATIENCE_MS }: PresenceOptions,
): Promise<T> => {
  const gone = new AbortController()
  const over = new AbortController()
  /** Undefined for an agent that is asked directly: its connection tells. */
  if (host.fetch === undefined) return watch(gone.signal)

  const lookOn = async (): Promise<void> => {
    let goneAt: number | undefined
    for (;;) {
      await pause(goneAt === undefined ? everyMs : Math.min(everyMs, RETURN_MS), over.signal)
      if (over.signal.aborted) return
      const asked = await client.status({ signal: over.signal })
      // While the engine is away it is not known; an agent that refuses is there.
      const isGone = !asked.ok && Object(asked.error.cause).fault === 'nobody-there'
      const isThere = asked.ok || asked.error.status !== undefined
      if (over.signal.aborted) return
      if (isGone && goneAt === undefined) {
        goneAt = Date.now()
        await say(`${host.name}: no sign of life, it is looked for until ${clock(goneAt + patienceMs)}`)
      } else if (isThere && goneAt !== undefined) {
        goneAt = undefined
        await say(`${host.name}: is there again`)
      } else if (goneAt !== undefined && Date.now() - goneAt >= patienceMs) {
        return gone.abort(new ClientError('gone', `${host.name}: gone since ${clock(goneAt)}`))
      }
    }
  }
  const looking = lookOn()
  looking.catch(() => {}) // Nobody reads any more: what is watched ends by that too.
  try {
    return await watch(gone.signal)
  } catch (error) {
    throw gone.signal.aborted ? gone.signal.reason : error
  } finally {
    over.abort()
  }
}

const clock = (ms: number): string => new Date(ms).toTimeString().slice(0, 8)

/** As often as an agent gives a sign of life. */
const EVERY_MS = 10_000
const RETURN_MS = 2000
/** As long as a connection that breaks is made again. */
const PATIENCE_MS = 60_000
