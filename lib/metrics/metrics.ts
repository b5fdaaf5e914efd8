import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { JobEvent, JobEvents } from '../jobs/events.ts'
import { createDeliveryMetrics, type Waiting } from './delivery-metrics.ts'
import { createQueueMetrics } from './queue-metrics.ts'

export interface MetricsOptions {
  version: string
  events: Pick<JobEvents, 'subscribe'>
  /** Asked for at each look. */
  state(): AgentState
  /** What the store takes on the disk, in bytes. */
  storeBytes(): Promise<number>
  /** What waits to be delivered to others. */
  waiting(): Waiting
  /** Whether the agent is in a fleet. */
  isInFleet?: boolean
}

export interface AgentState {
  running: number
  limit: number
  isDraining: boolean
  isStoreWritable: boolean
  isAuditWritable: boolean
  /** Undefined for an agent that is in no fleet. */
  isFleetConnected?: boolean | undefined
  isGuardianMissing: boolean
  guardianRestarts: number
}

/** What Prometheus may know of an agent, in its text format. Counts from the start of the agent. */
export const createMetrics = ({
  version,
  events,
  state,
  storeBytes,
  waiting,
  isInFleet = false,
}: MetricsOptions) => {
  const registry = new Registry()
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = (name: string, help: string, read: (now: AgentState) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(state()))
      },
    })

  const jobs = counter('newdt_jobs_total', 'Jobs that have ended, or were rejected.', ['state', 'reason'])
  const output = counter('newdt_output_bytes_total', 'What ended jobs have written, kept or dropped.', [
    'fate',
  ])
  const requests = counter('newdt_http_requests_total', 'Answered HTTP requests.', [
    'method',
    'route',
    'status',
  ])
  const messages = isInFleet
    ? counter('newdt_fleet_requests_total', 'Requests that came over the engine of the fleet.', ['fate'])
    : undefined
  const failures = counter('newdt_authentication_failures_total', 'Requests whose sender was not known.', [
    'reason',
  ])
  const deliveries = createDeliveryMetrics(registry, waiting)
  const queue = isInFleet ? createQueueMetrics(registry) : () => {}
  const duration = new Histogram({
    name: 'newdt_job_duration_seconds',
    help: 'From the start of the process of a job to the end of the job.',
    buckets: [0.01, 0.1, 1, 10, 60, 600, 3600, 21_600, 86_400],
    registers,
  })
  const start = new Histogram({
    name: 'newdt_job_start_seconds',
    help: 'From the acceptance of a job to the start of its process.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1],
    registers,
  })

  new Gauge({ name: 'newdt_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set(
    { version },
    1,
  )
  gauge('newdt_jobs_running', 'Jobs that run now.', now => now.running)
  gauge('newdt_jobs_limit', 'How many jobs may run at a time.', now => now.limit)
  gauge('newdt_draining', '1 when no new jobs are taken.', now => Number(now.isDraining))
  gauge('newdt_store_writable', '1 when new jobs can be stored.', now => Number(now.isStoreWritable))
  gauge('newdt_audit_writable', '1 when the audit trail can be written.', now => Number(now.isAuditWritable))
  if (isInFleet) {
    gauge('newdt_fleet_connected', '1 when there is a connection to the engine of the fleet.', now =>
      Number(now.isFleetConnected ?? false),
    )
  }
  gauge('newdt_guardian_missing', '1 when jobs would outlive a kill of the agent.', now =>
    Number(now.isGuardianMissing),
  )
  new Counter({
    name: 'newdt_guardian_restarts_total',
    help: 'How often the guardian had to be started again.',
    registers,
    collect() {
      this.reset()
      this.inc(state().guardianRestarts)
    },
  })
  new Gauge({
    name: 'newdt_store_bytes',
    help: 'What the database takes on the disk.',
    registers,
    async collect() {
      this.set(await storeBytes())
    },
  })

  events.subscribe((event: JobEvent) => {
    if (event.kind === 'rejected') jobs.inc({ state: 'rejected', reason: 'rejected' })
    else if (event.kind === 'started')
      start.observe(((event.job.startTime ?? event.job.createTime) - event.job.createTime) / 1e6)
    else if (event.kind === 'ended') {
      const { job, totals } = event
      jobs.inc({ state: job.state, reason: job.reason })
      // A job that was lost has no known end, and one that never started no duration.
      if (job.pid !== 0 && job.reason !== 'agent-lost')
        duration.observe((job.finishTime - job.startTime) / 1e6)
      const { stdoutBytes, stderrBytes, keptBytes } = totals
      output.inc({ fate: 'kept' }, keptBytes)
      output.inc({ fate: 'dropped' }, Math.max(0, stdoutBytes + stderrBytes - keptBytes))
    }
  })

  let isLookedAt = false
  return {
    request(method: string, route: string, status: number): void {
      requests.inc({ method, route, status })
    },

    /** Of a request that came over the engine: `answered`, or `broken` when nobody has taken all of the answer. */
    fleetRequest(fate: 'answered' | 'broken'): void {
      messages?.inc({ fate })
    },

    /** `reason` is the machine word of the error. */
    authenticationFailed(reason: string): void {
      failures.inc({ reason })
    },

    /** Counts what has come of a try to deliver something. */
    delivery: deliveries,

    /** Counts what has become of a message from the queue of the fleet. */
    queue,

    contentType: registry.contentType,

    /** All of them, as text. */
    async text(): Promise<string> {
      // Event loop, memory, garbage collection: watching them costs, so that begins with whoever looks first.
      if (!isLookedAt) watchProcess(registry)
      isLookedAt = true
      return registry.metrics()
    },
  }
}

const watchProcess = (registry: Registry): void => {
  collectDefaultMetrics({ register: registry })
  // Gauges with the suffix of a counter, which promtool refuses; by type they are there too.
  for (const what of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${what}_total`)
}

export type Metrics = ReturnType<typeof createMetrics>
