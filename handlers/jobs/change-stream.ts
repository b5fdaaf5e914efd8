import { untilCalled } from '../../lib/base/until-called.ts'
import type { JobChange, Position } from '../../lib/jobs/changes.ts'
import { HEARTBEAT_MS, STILL_HERE, serverSentEvent } from '../http/server-sent-events.ts'
import type { Services } from '../services.ts'
import { jobInList } from './job-in-list.ts'

export interface ChangeStreamOptions {
  /** Where the reader is; unknown to one that begins. */
  after: Position | undefined
  /** Ends the stream when nobody reads it any more. */
  signal: AbortSignal
}

/**
 * Server-sent events that tell which jobs have changed, until the agent has stopped: `job` with the job as it is when
 * it is told, `agent` when it drains or stops, `reset` when what has changed before is not known. All that is held for
 * a reader is where it is.
 */
export async function* changeStream(
  { jobs, changes }: Pick<Services, 'jobs' | 'changes'>,
  { after, signal }: ChangeStreamOptions,
): AsyncGenerator<string> {
  let position = after
  let agent = ''
  while (!signal.aborted) {
    const changed = position && changes.since(position)
    if (!position || !changed) {
      position = changes.now()
      yield serverSentEvent('reset', { running: jobs.countRunning() }, idOf(position))
      continue
    }
    const agentNow = serverSentEvent('agent', { draining: jobs.isDraining(), stopping: jobs.isClosing() })
    if (agentNow !== agent) {
      agent = agentNow
      yield agent
      continue
    }
    if (changed.length > 0) {
      const piece = changed.slice(0, JOBS_A_PIECE)
      position = { ...position, seq: piece.at(-1)!.seq }
      // Even when all of them were removed meanwhile: others have their turn then.
      yield textOf(piece, position.epoch, jobs) || STILL_HERE
    } else if (changes.isOver()) return
    else if (await untilCalled(changes.wait, { ms: HEARTBEAT_MS, signal }))
      await untilCalled(NEVER, { ms: GATHER_MS, signal })
    else yield STILL_HERE
  }
}

/** Nothing of a job that is not there any more. */
const textOf = (changed: readonly JobChange[], epoch: string, jobs: Services['jobs']): string => {
  let text = ''
  for (const { id, seq } of changed) {
    const record = jobs.listed(id)
    if (!record) continue
    const data = { running: jobs.countRunning(), job: jobInList(record) }
    text += serverSentEvent('job', data, idOf({ epoch, seq }))
  }
  return text
}

const idOf = ({ epoch, seq }: Position): string => `${epoch}-${seq}`

const NEVER = () => () => {}

/** Looking them up takes about a millisecond. */
const JOBS_A_PIECE = 16
/** What happens shortly after one another is told together: the creation and the start of a job, or all of a short one. */
const GATHER_MS = 20
