import type { QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import type { FoundJob } from './ask.ts'
import type { OpenFleet } from './open-fleet.ts'

/** A job of an agent, or one of the queue. */
export type Target = { kind: 'job'; found: FoundJob } | { kind: 'queued'; queued: QueuedJob; open: OpenFleet }
