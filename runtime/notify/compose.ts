import { jobInList } from '../../handlers/jobs/job-in-list.ts'
import { formatTimestamp, type Micros } from '../../lib/base/timestamp.ts'
import type { JobEvent } from '../../lib/jobs/events.ts'
import type { Notify } from '../../lib/jobs/job.ts'
import type { Outgoing } from '../../lib/jobs/lifecycle.ts'
import { isWanted } from '../../lib/notify/is-wanted.ts'
import type { NewOutboxEntry } from '../../lib/store/outbox-store.ts'

export interface ComposeOptions {
  /** What the agent is called. */
  host: string
  /** Whether there are callbacks at all. */
  hasCallbacks: boolean
  /** Who is told of every job, besides. */
  everyJob: Notify | undefined
  /** Whether a fleet is told of every event. */
  hasFleet: boolean
}

/** Who is told what of an event. */
export const createCompose =
  ({ host, hasCallbacks, everyJob, hasFleet }: ComposeOptions): Outgoing['of'] =>
  event => {
    const { kind, job } = event
    const asked = hasCallbacks ? [everyJob, job.notify] : []
    // A URL that is asked for twice is called once.
    const urls = new Set(asked.filter(one => one && isWanted(one.on, event)).map(one => one!.url))
    if (urls.size === 0 && !hasFleet) return NOBODY
    const id = `${job.id}.${kind}`
    const common = { id, jobId: job.id, kind, createdAt: Date.now() }
    // The path of a URL may be what proves who may call it: only who is called there is told of it.
    const origin = job.notify && { ...job.notify, url: `${new URL(job.notify.url).origin}/` }
    const toOthers = messageOf(event, host, origin)
    const entries: NewOutboxEntry[] = [...urls].map(target => ({
      ...common,
      sink: 'callback',
      target,
      origin: new URL(target).origin,
      payload: target === job.notify?.url ? messageOf(event, host, job.notify) : toOthers,
    }))
    if (hasFleet) entries.push({ ...common, sink: 'fleet', target: '', origin: '', payload: toOthers })
    return entries
  }

/** What is told of an event: the job as a list has it, so without its output, at most about 30 KB. */
const messageOf = (event: JobEvent, host: string, notify: Notify | null): string => {
  const { kind, job } = event
  const output = kind === 'ended' ? event.totals : NO_OUTPUT
  return JSON.stringify({
    type: `job.${kind}`,
    timestamp: formatTimestamp(timeOf(event)),
    host,
    data: jobInList({ job: { ...job, notify }, output, livingLeftovers: 0 }),
  })
}

const timeOf = ({ kind, job }: JobEvent): Micros => {
  if (kind === 'ended') return job.finishTime
  return kind === 'started' ? (job.startTime ?? job.createTime) : job.createTime
}

const NO_OUTPUT = { stdoutBytes: 0, stderrBytes: 0, keptBytes: 0 }
const NOBODY: readonly NewOutboxEntry[] = []
