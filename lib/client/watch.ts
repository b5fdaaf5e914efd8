import type { ServerSentEvent } from './event-parser.ts'
import { type ConnectionOptions, receiveEvents } from './event-stream.ts'
import { isAgentState, isJobChange, isPosition, isRunning } from './shapes.ts'
import type { Transport } from './transport.ts'
import type { WatchEvent } from './types.ts'

export interface WatchOptions extends ConnectionOptions {
  /** Begins after the event with this `position`, without `reset` if all that has changed since is known. */
  after?: string | undefined
}

/**
 * All jobs as they change, without end. After a broken connection it goes on where it was: each job that has changed
 * meanwhile comes once; or `reset`, when that is not known. Throws ClientError when the agent refuses, or has not
 * answered for `patienceMs`.
 */
export async function* watchJobs(
  transport: Transport,
  { after, signal, onConnection }: WatchOptions = {},
): AsyncGenerator<WatchEvent, void> {
  let position = after
  let agent: Extract<WatchEvent, { type: 'agent' }> | undefined
  const received = receiveEvents(transport, {
    path: '/api/events',
    query: () => ({ after: position }),
    eventOf,
    isProgress: event => 'position' in event && event.position !== position,
    signal,
    onConnection,
  })
  for await (const event of received) {
    if (event.type === 'agent') {
      // It comes with each connection.
      if (agent?.draining === event.draining && agent.stopping === event.stopping) continue
      agent = event
    } else position = event.position
    yield event
  }
}

/** Undefined for one of a kind that is not known yet. Throws SyntaxError for what no agent sends. */
const eventOf = ({ name, id, data }: ServerSentEvent): WatchEvent | undefined => {
  if (name !== 'reset' && name !== 'job' && name !== 'agent') return undefined
  const value: unknown = JSON.parse(data)
  if (name === 'agent' && isAgentState(value))
    return { type: name, draining: value.draining, stopping: value.stopping }
  if (name === 'reset' && isRunning(value) && isPosition(id))
    return { type: name, position: id, running: value.running }
  if (name === 'job' && isJobChange(value) && isPosition(id))
    return { type: name, position: id, running: value.running, job: value.job }
  throw new SyntaxError(`the event ${name} is not that of an agent`)
}
