import { newQueuedJob } from '../../../../lib/fleet/queue/changes.ts'
import type { QueuedJob, RunEnd } from '../../../../lib/fleet/queue/queued-job.ts'

export const AT = '2027-01-15T08:00:00.000Z'

export const waitingJob = (changes: Partial<QueuedJob> = {}): QueuedJob =>
  ({
    ...newQueuedJob({
      id: 'id-of-a-job',
      label: 'role=db',
      priority: 'normal',
      once: false,
      tries: 3,
      limit: null,
      summary: 'uptime',
      fingerprint: 'f'.repeat(32),
      content: 'c'.repeat(32),
      createdAt: AT,
      expiresAt: '2027-01-16T08:00:00.000Z',
    }),
    ...changes,
  }) as QueuedJob

export const endOf = (reason = 'exited'): RunEnd => ({
  state: reason === 'exited' ? 'success' : 'failed',
  reason,
  exitCode: 0,
  signal: '',
  error: '',
  at: AT,
})
