import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../lib/database.ts'
import { createJobStore } from '../../lib/job-store.ts'
import { createOutputStore } from '../../lib/output-store.ts'
import { decodeOutput } from '../../lib/output-text.ts'
import { recordingLog } from '../support/recording-log.ts'
import { scratchDirectory } from '../support/scratch.ts'

/** One file of every schema that was released, as the agent of that time has left it. */
test('a database of schema 1 is opened, with all that is in it', () => {
  const path = join(scratchDirectory(), 'newdt-auto.db')
  copyFileSync(join(import.meta.dirname, '../fixtures/schema-1.db'), path)
  const { log, lines } = recordingLog()
  const database = openDatabase(path, log)
  const jobs = createJobStore(database)
  assert.deepEqual(lines, [])
  assert.equal(jobs.list({ limit: 10 }).length, 4)

  const { number, job, totals } = jobs.find('01a203625a5c77a2957ad7d39abc9d59')!
  assert.ok(job.state === 'failed')
  assert.deepEqual([job.exitCode, job.error, job.reason, job.encoding], [3, 'exit status 3', 'exited', 'gbk'])
  assert.deepEqual(totals, { stdoutBytes: 2, stderrBytes: 4, keptBytes: 6 })
  const output = decodeOutput(createOutputStore(database).read(number), job.encoding)
  assert.deepEqual(output, { stdout: '你', stderr: 'err\n' })
  assert.equal(jobs.findByKey('k1')?.id, job.id)

  const script = jobs.find('01a203625a73772aa643d5c4f9e5a0c5')!.job
  assert.ok(script.state === 'failed')
  assert.deepEqual([script.scriptType, script.params, script.signal], ['shell', 'a', 'SIGKILL'])
  assert.equal(jobs.find('01a203625a8971e6892939d8e8a43c57')?.job.state, 'rejected')
  database.close()
})
