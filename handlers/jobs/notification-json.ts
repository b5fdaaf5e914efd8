import { formatTimestamp } from '../../lib/base/timestamp.ts'
import type { Notify } from '../../lib/jobs/job.ts'
import { withoutQuery } from '../../lib/notify/callback-url.ts'
import type { OutboxSummary } from '../../lib/store/outbox-store.ts'

/**
 * What has become of a callback of a job that asked for `notify`. Where it is the agent's setting that asked, not even the
 * path is shown, which may be what proves who may call.
 */
export const notificationToJson = (entry: OutboxSummary, notify: Notify | null) => ({
  event: entry.kind,
  url: entry.target === notify?.url ? withoutQuery(entry.target) : entry.origin,
  state: entry.state,
  tries: entry.tries,
  lastTryTime: timeOrNull(entry.lastTryAt),
  nextTryTime: timeOrNull(entry.nextTryAt),
  /** Of the last try that has failed. */
  error: entry.lastError,
})

export type NotificationJson = ReturnType<typeof notificationToJson>

const timeOrNull = (ms: number | undefined): string | null =>
  ms === undefined ? null : formatTimestamp(ms * 1000)
