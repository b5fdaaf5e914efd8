import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClock } from '../../lib/base/clock.ts'
import type { Log } from '../../lib/base/log.ts'
import type { JobRequest } from '../../lib/jobs/job.ts'
import { createJobs, type JobsOptions } from '../../lib/jobs/jobs.ts'
import { createSlots } from '../../lib/jobs/slots.ts'
import { type Database, openDatabase } from '../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../../lib/store/sqlite/outputs.ts'
import { createRetention } from '../../lib/store/sqlite/retention.ts'
import { linuxProcesses } from './linux-processes.ts'

export interface LogLine {
  level: keyof Log
  fields: Record<string, unknown>
  message: string
}

/** The jobs of an agent, on real processes and a real database in a directory of its own. */
export const createTestJobs = (options: Partial<JobsOptions> & { limit?: number } = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'test-newdt-'))
  const scriptDirectory = mkdtempSync(join(directory, 'scripts-'))
  const lines: LogLine[] = []
  const logAt = (level: keyof Log) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...fields }, message })
  const log: Log = { info: logAt('info'), warn: logAt('warn'), error: logAt('error') }
  const database: Database = openDatabase(join(directory, 'jobs.db'), log)
  const slots = createSlots(options.limit ?? 5)
  const jobStore = createJobStore(database)
  const outputStore = createOutputStore(database)
  const jobs = createJobs({
    slots,
    jobStore,
    outputStore,
    retention: createRetention(database, { ageMs: 1e9, jobs: 10_000, bytes: 1e9 }),
    ballast: { isHeld: () => true, release: () => false },
    processes: linuxProcesses(),
    clock: createClock(),
    log,
    env: { PATH: process.env.PATH ?? '' },
    scriptDirectory,
    outputLimit: 1 << 20,
    killGraceMs: 5000,
    ...options,
  })

  return {
    jobs,
    jobStore,
    outputStore,
    database,
    slots,
    lines,
    scripts: (): string[] => readdirSync(scriptDirectory),

    /** Submits, waits for the end, and gives the whole job, with its output however long it is. */
    async run(request: Partial<JobRequest>) {
      const { id } = await jobs.submit(requestOf(request))
      await jobs.waitForEnd(id)
      const job = (await jobs.get(id))!
      const view = jobs.openOutput(id)!
      const [stdout, stderr] = [[...view.texts('stdout')].join(''), [...view.texts('stderr')].join('')]
      const isShort = stdout.length + stderr.length <= 1 << 16
      if (isShort) assert.deepEqual([job.stdout, job.stderr], [stdout, stderr])
      return { ...job, stdout, stderr }
    },

    /** Submits; resolves with the id when it runs. */
    async start(request: Partial<JobRequest>): Promise<string> {
      const submission = await jobs.submit(requestOf({ async: true, ...request }))
      if (submission.rejected) throw new Error('rejected')
      return submission.id
    },

    async close(): Promise<void> {
      await jobs.close(0)
      database.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

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
