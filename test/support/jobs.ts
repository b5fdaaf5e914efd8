import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jobToJson } from '../../handlers/jobs/job-json.ts'
import { createClock } from '../../lib/base/clock.ts'
import type { Log } from '../../lib/base/log.ts'
import { createJobEvents } from '../../lib/jobs/events.ts'
import { type JobRecord, type JobRequest, NO_LIMITS } from '../../lib/jobs/job.ts'
import { createJobs, type JobsOptions } from '../../lib/jobs/jobs.ts'
import { createLifecycle } from '../../lib/jobs/lifecycle.ts'
import { logJobEvents } from '../../lib/jobs/log-events.ts'
import type { JobListQuery } from '../../lib/jobs/lookup.ts'
import { createSlots } from '../../lib/jobs/slots.ts'
import type { OutputView } from '../../lib/output/view.ts'
import type { OutputStream, SignalTarget } from '../../lib/process/types.ts'
import type { Caller } from '../../lib/security/caller.ts'
import { createHousekeeping } from '../../lib/store/housekeeping.ts'
import type { IdempotencyKey } from '../../lib/store/job-store.ts'
import type { RetentionLimits } from '../../lib/store/retention.ts'
import { type Database, openDatabase } from '../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../../lib/store/sqlite/outputs.ts'
import { createRecentJobs } from '../../lib/store/sqlite/recent-jobs.ts'
import { createRetention } from '../../lib/store/sqlite/retention.ts'
import { linuxProcesses } from './linux-processes.ts'

export interface LogLine {
  level: keyof Log
  fields: Record<string, unknown>
  message: string
}

/** The jobs of an agent, on real processes and a real database in a directory of its own. */
export const createTestJobs = (
  options: Partial<JobsOptions> & { limit?: number; retentionLimits?: RetentionLimits } = {},
) => {
  const directory = mkdtempSync(join(tmpdir(), 'test-newdt-'))
  const scriptDirectory = mkdtempSync(join(directory, 'scripts-'))
  const lines: LogLine[] = []
  const logAt = (level: keyof Log) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...fields }, message })
  const log: Log = { info: logAt('info'), warn: logAt('warn'), error: logAt('error') }
  const database: Database = openDatabase(join(directory, 'jobs.db'), log)
  const slots = createSlots(options.limit ?? 5)
  const recent = createRecentJobs(database)
  const jobStore = createJobStore(database, undefined, recent)
  const outputStore = createOutputStore(database)
  const limits = options.retentionLimits ?? { ageMs: 1e9, jobs: 10_000, bytes: 1e9 }
  const retention = createRetention(database, limits, recent)
  const housekeeping = createHousekeeping({
    retention,
    checkpoint: async () => true,
    hasRoom: () => true,
    reserve: { giveUp: () => false },
    log,
  })
  const ballast = { isHeld: () => true, giveUp: () => false }
  const events = createJobEvents(error => assert.fail(String(error)))
  events.subscribe(logJobEvents(log))
  const all = { slots, jobStore, outputStore, retention, housekeeping, ballast, log, ...options }
  const lifecycle = createLifecycle({ jobStore, outputStore, retention, ballast, events, log })
  const service = createJobs({
    ...all,
    lifecycle,
    processes: linuxProcesses(),
    clock: createClock(),
    env: { PATH: process.env.PATH ?? '' },
    scriptDirectory,
    outputLimit: 1 << 20,
    killGraceMs: 5000,
    runAs: [],
    limits: { defaults: NO_LIMITS, most: NO_LIMITS },
    ...options,
  })

  /** As a client of the agent sees it; undefined for an unknown job. */
  const get = async (id: string) => {
    const job = service.open(id)
    if (!job) return undefined
    try {
      return shown((await job.now())!, textOf(job.output, 'stdout'), textOf(job.output, 'stderr'))
    } finally {
      job.close()
    }
  }

  const waitForEnd = async (id: string, ms?: number): Promise<void> => {
    const job = service.open(id)
    await job?.waitForEnd({ ms })
    job?.close()
  }

  const jobs = {
    ...service,
    get,
    waitForEnd,
    submit: (request: JobRequest, key?: IdempotencyKey) => service.submit(request, SOMEBODY, { key }),
    list: async (query: JobListQuery) => (await service.list(query)).map(record => shown(record)),

    openOutput(id: string) {
      const job = service.open(id)
      job?.close()
      return job?.output
    },

    async cancel(id: string, graceMs?: number) {
      await service.cancel(id, SOMEBODY, graceMs)
      return (await get(id))!
    },

    async signal(id: string, signal: NodeJS.Signals, to: SignalTarget) {
      await service.signal(id, SOMEBODY, signal, to)
      return (await get(id))!
    },
  }

  return {
    jobs,
    service,
    events,
    lifecycle,
    retention,
    jobStore,
    outputStore,
    database,
    slots,
    lines,
    scripts: (): string[] => readdirSync(scriptDirectory),

    /** Submits, waits for the end, and gives the whole job. */
    async run(request: Partial<JobRequest>) {
      const { id } = await jobs.submit(requestOf(request))
      await waitForEnd(id)
      return (await get(id))!
    },

    /** Submits; resolves with the id when it runs. */
    async start(request: Partial<JobRequest>): Promise<string> {
      const submission = await jobs.submit(requestOf({ async: true, ...request }))
      if (submission.rejected) throw new Error('rejected')
      return submission.id
    },

    async close(): Promise<void> {
      await jobs.close(0)
      lifecycle.close()
      housekeeping.close()
      database.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export const SOMEBODY: Caller = {
  id: 'test',
  rights: new Set(['read', 'run', 'admin'] as const),
  bounds: {},
  address: '127.0.0.1',
}

const textOf = (output: OutputView, stream: OutputStream): string =>
  [...output.snapshot().texts(stream)].join('')

const shown = (record: JobRecord, stdout = '', stderr = '') => ({ ...jobToJson(record), stdout, stderr })

export type TestJobs = ReturnType<typeof createTestJobs>

export const requestOf = (request: Partial<JobRequest>): JobRequest => ({
  cmd: '',
  params: '',
  async: false,
  ...request,
})

export const script = (content: string, type: 'shell' | 'python' = 'shell', words: string[] = []) => ({
  name: type === 'shell' ? 'x.sh' : 'x.py',
  content,
  type,
  words,
})
