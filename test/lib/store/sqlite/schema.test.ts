import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { decodeOutput } from '../../../../lib/output/text.ts'
import { NO_USAGE } from '../../../../lib/process/types.ts'
import type { StoredJob } from '../../../../lib/store/job-store.ts'
import { openDatabase } from '../../../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../../../lib/store/sqlite/jobs.ts'
import { createOutboxStore } from '../../../../lib/store/sqlite/outbox.ts'
import { createOutputStore } from '../../../../lib/store/sqlite/outputs.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../../support/sample-jobs.ts'
import { scratchDirectory } from '../../../support/scratch.ts'

const NEWEST_SCHEMA = 9

/** One file of every schema that was released, as the agent of that time has left it, with the ids of its jobs. */
const RELEASED = [
  {
    schema: 1,
    command: '01a203625a5c77a2957ad7d39abc9d59',
    script: '01a203625a73772aa643d5c4f9e5a0c5',
    asynchronous: '01a203625a80742eac9f58fa13db8c35',
    rejected: '01a203625a8971e6892939d8e8a43c57',
  },
  {
    schema: 2,
    command: '01a203e18d887006b3314b34b2b255e7',
    script: '01a203e18da17007beae49d270f7c00d',
    asynchronous: '01a203e18daa7009a771176a8ce4283c',
    rejected: '01a203e18db17003ba27bfde91a091f9',
  },
  {
    schema: 3,
    command: '01a20b68956170069a18989702cf029b',
    script: '01a20b68957170078e13df1d08912041',
    asynchronous: '01a20b689577700f87f7d6db0a0628e4',
    rejected: '01a20b689578700e8438fd784ca984a2',
  },
  {
    schema: 4,
    command: '01a20c02421f700993abf65a449ef613',
    script: '01a20c0242a070078eaf17133b191bd7',
    asynchronous: '01a20c0242b070018e9585fca3698c23',
    rejected: '01a20c0242ba700f95694edfe1b325d9',
  },
  {
    schema: 5,
    command: '01a20c747e7b700898cfe757c0e8a7e8',
    script: '01a20c747efc700cb472bf09247a5dc9',
    asynchronous: '01a20c747f0c7006b6978cfbc36fe460',
    rejected: '01a20c747f177000879eedd2a44fa2ec',
  },
  {
    schema: 6,
    command: '01a20d3f486f700998c513c18f16fe5a',
    script: '01a20d3f49227006b9b14568b77b0156',
    asynchronous: '01a20d3f494d700681f5d561b1ad939a',
    rejected: '01a20d3f497e700faba4401ae28bd357',
  },
  {
    schema: 7,
    command: '01a21c3bd5eb70009a1a1b4001faeba1',
    script: '01a21c3bd661700d817cd3ae1a47acc6',
    asynchronous: '01a21c3bd683700c81cfab7f37d57e37',
    rejected: '01a21c3bd69b700f8cab464bb5611da2',
  },
  // Migrated from the one before, with callbacks of its asynchronous job.
  {
    schema: 8,
    command: '01a21c3bd5eb70009a1a1b4001faeba1',
    script: '01a21c3bd661700d817cd3ae1a47acc6',
    asynchronous: '01a21c3bd683700c81cfab7f37d57e37',
    rejected: '01a21c3bd69b700f8cab464bb5611da2',
  },
  // Migrated from the one before.
  {
    schema: 9,
    command: '01a21c3bd5eb70009a1a1b4001faeba1',
    script: '01a21c3bd661700d817cd3ae1a47acc6',
    asynchronous: '01a21c3bd683700c81cfab7f37d57e37',
    rejected: '01a21c3bd69b700f8cab464bb5611da2',
  },
]

const idOf = ({ job }: StoredJob): string => job.id

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

for (const { schema, ...ids } of RELEASED) {
  describe(`a database of schema ${schema}`, () => {
    const directory = scratchDirectory()

    /** The file itself stays as it was. */
    const openCopy = (name: string) => {
      const path = join(directory, name)
      copyFileSync(join(import.meta.dirname, `../../../fixtures/schema-${schema}.db`), path)
      let isMigrated = schema === NEWEST_SCHEMA
      const open = () => {
        const { log, lines } = recordingLog()
        const database = openDatabase(path, log)
        assert.deepEqual(
          lines.map(({ message }) => message),
          isMigrated ? [] : ['the database was migrated'],
        )
        isMigrated = true
        return { database, jobs: createJobStore(database), outputs: createOutputStore(database) }
      }
      return { ...open(), openAgain: open }
    }

    test('is opened, with all that is in it', () => {
      const { database, jobs, outputs } = openCopy('opened.db')
      const listed = jobs.list({ limit: 10 }).jobs.map(({ job }) => job.id)
      assert.deepEqual(listed, [ids.rejected, ids.asynchronous, ids.script, ids.command])

      const { number, job, totals } = jobs.find(ids.command)!
      assert.ok(job.state === 'failed')
      assert.deepEqual(
        [job.exitCode, job.error, job.reason, job.encoding],
        [3, 'exit status 3', 'exited', 'gbk'],
      )
      assert.deepEqual(totals, { stdoutBytes: 2, stderrBytes: 4, keptBytes: 6 })
      const output = decodeOutput(outputs.read(number), job.encoding)
      assert.deepEqual(output, { stdout: '你', stderr: 'err\n' })
      assert.equal(jobs.findByKey('k1')?.id, job.id)
      assert.deepEqual([job.caller, job.client], ['default', schema < 4 ? '' : '127.0.0.1'])

      const script = jobs.find(ids.script)!.job
      assert.ok(script.state === 'failed')
      assert.deepEqual([script.scriptType, script.params, script.signal], ['shell', 'a', 'SIGKILL'])
      const asynchronous = jobs.find(ids.asynchronous)!.job
      assert.deepEqual(
        [asynchronous.state, asynchronous.async, asynchronous.cmd],
        ['success', true, 'sleep 1'],
      )
      assert.equal(jobs.find(ids.rejected)?.job.state, 'rejected')
      const labels = schema < 6 ? {} : { env: 'prod', team: 'db' }
      assert.deepEqual([script.labels, asynchronous.labels], [{}, labels])
      assert.deepEqual([script.user, script.limits], ['', {}])
      const cpu = Math.round((job.cpu.user + job.cpu.system) * 1e6) / 1e6
      assert.ok(cpu > 0)
      assert.deepEqual(job.usage, { ...NO_USAGE, cpu })
      assert.ok(asynchronous.state === 'success')
      const { user, limits, usage } = asynchronous
      const used = [usage.peakMemory, usage.peakProcesses, usage.readBytes, usage.writtenBytes]
      assert.deepEqual(
        [user, limits, ...used],
        schema < 7
          ? ['', {}, null, null, null, null]
          : ['deploy', { memory: 2 ** 29 }, 1_445_888, 2, 4096, 0],
      )
      const url = 'https://ci.example.com/done?token=x'
      assert.deepEqual(
        [job.notify, job.queue, asynchronous.notify, asynchronous.queue],
        schema < 8
          ? [null, null, null, null]
          : [null, null, { url, on: ['started', 'ended'] }, { id: 'build-4711', try: 2 }],
      )
      const outbox = createOutboxStore(database)
      assert.deepEqual(
        outbox.ofJob(ids.asynchronous, 'callback').map(({ kind, state, tries }) => [kind, state, tries]),
        schema < 8
          ? []
          : [
              ['started', 'delivered', 1],
              ['ended', 'pending', 1],
            ],
      )
      assert.deepEqual(outbox.origins('callback'), schema < 8 ? [] : ['https://ci.example.com'])
      const labeled = jobs.list({ labels: ['env=prod'], limit: 9 }).jobs
      assert.deepEqual(labeled.map(idOf), schema < 6 ? [] : [ids.asynchronous])
      database.close()
    })

    test('has output that is read, superseded and added to as if it were new', () => {
      const { database, jobs, outputs } = openCopy('outputs.db')
      const { number } = jobs.find(ids.command)!
      const texts = () =>
        [...outputs.read(number)].map(chunk => [chunk.seq, chunk.stream, hexOf(chunk.bytes)])
      assert.deepEqual(texts(), [
        [1, 'stdout', 'c4e3'],
        [2, 'stderr', '6572720a'],
      ])
      assert.deepEqual([outputs.size(number), outputs.size(number, 'stderr')], [6, 4])
      assert.deepEqual(
        [outputs.endOf(number, 1), outputs.endOf(number, 2), outputs.lastSeq(number)],
        [2, 6, 2],
      )
      assert.ok(outputs.storedBytes(number) > 100)
      const added = { seq: 3, stream: 'stdout', time: 2e15, position: 6, streamPosition: 2 } as const
      const bytes = new Uint8Array(Buffer.from('!'))
      assert.equal(outputs.append(number, [{ ...added, bytes }], { fromSeq: 2, position: 3 }), 1)
      assert.deepEqual(texts(), [
        [1, 'stdout', 'c4e3'],
        [2, 'stderr', '72720a'],
        [3, 'stdout', '21'],
      ])
      assert.deepEqual(outputs.totals(number), { stdoutBytes: 3, stderrBytes: 4, keptBytes: 6 })
      database.close()
    })

    test('counts what its outputs cost, in the index that retention reads, without what was rejected', () => {
      const { database } = openCopy('costs.db')
      const costs = database
        .prepare('SELECT number, stored_bytes AS cost, kept_bytes AS kept FROM jobs')
        .all()
      for (const { cost, kept } of costs) assert.ok(schema < 3 || kept === 0 ? cost === kept : cost! > kept!)
      const plan = database
        .prepare(`
          EXPLAIN QUERY PLAN SELECT sum(stored_bytes) FROM jobs
          WHERE finish_time IS NOT NULL AND state <> 'rejected'`)
        .all()
      assert.match(String(plan[0]?.detail), /INDEX jobs_by_finish/)
      database.close()
    })

    test('is one of the newest schema from then on', () => {
      const { database, openAgain } = openCopy('migrated.db')
      const first = (sql: string) => Object.values(database.prepare(sql).get() ?? {})[0]
      assert.equal(first('PRAGMA user_version'), NEWEST_SCHEMA)
      assert.equal(first('PRAGMA integrity_check'), 'ok')
      database.close()
      const again = openAgain()
      assert.equal(again.jobs.list({ limit: 10 }).jobs.length, 4)
      again.database.close()
    })

    test('takes new jobs, with numbers above those of the old ones', () => {
      const { database, jobs, outputs, openAgain } = openCopy('continued.db')
      const highest = Math.max(...Object.values(ids).map(id => jobs.find(id)!.number))
      const key = { key: 'k2', requestHash: new Uint8Array(32) }
      const ended = runningJob({ id: `f${'0'.repeat(30)}1` })
      const running = runningJob({ id: `f${'0'.repeat(30)}2` })
      const numbers = [jobs.insert(ended, 7, key), jobs.insert(running, 8)]
      assert.deepEqual(numbers, [highest + 1, highest + 2])
      assert.deepEqual([...outputs.read(highest + 1)], [])
      jobs.finish(endOf(ended), NO_OUTPUT, 0)
      // A key is still one job's alone.
      assert.throws(() => jobs.insert(runningJob(), 9, { ...key, key: 'k1' }), /UNIQUE/)
      database.close()

      const again = openAgain()
      assert.deepEqual(
        again.jobs.list({ limit: 10 }).jobs.map(({ job }) => job.id),
        [running.id, ended.id, ids.rejected, ids.asynchronous, ids.script, ids.command],
      )
      assert.deepEqual(
        again.jobs.findRunning().map(({ number, mark, job }) => [number, mark, job.id]),
        [[highest + 2, 8, running.id]],
      )
      assert.deepEqual(
        again.jobs.list({ states: ['success'], limit: 10 }).jobs.map(({ job }) => job.id),
        [ended.id, ids.asynchronous],
      )
      assert.equal(again.jobs.findByKey('k2')?.id, ended.id)
      assert.equal(again.jobs.insert(runningJob(), 10), highest + 3)
      again.database.close()
    })
  })
}

test('a job that ran when an agent of schema 8 was lost runs in the newest schema, with its labels and callbacks', () => {
  const path = join(scratchDirectory(), 'running.db')
  copyFileSync(join(import.meta.dirname, '../../../fixtures/schema-8.db'), path)
  const { asynchronous: id } = RELEASED.find(({ schema }) => schema === 8)!
  const old = new DatabaseSync(path)
  old
    .prepare(`UPDATE jobs SET state = 'running', finish_time = NULL, idempotency_key = 'k' WHERE id = ?`)
    .run(id)
  old.close()
  const database = openDatabase(path, recordingLog().log)
  const jobs = createJobStore(database)
  assert.deepEqual(jobs.findRunning().map(idOf), [id])
  assert.equal(jobs.find(id)?.job.state, 'running')
  assert.deepEqual(jobs.list({ labels: ['env=prod'], states: ['running'], limit: 9 }).jobs.map(idOf), [id])
  assert.equal(jobs.list({ limit: 9 }).jobs.length, 4)
  assert.equal(jobs.findByKey('k')?.id, id)
  assert.equal(createOutboxStore(database).ofJob(id, 'callback').length, 2)
  assert.throws(() => jobs.insert(runningJob(), 9, { key: 'k', requestHash: new Uint8Array(32) }), /UNIQUE/)
  database.close()
})

test('the pages name the newest schema', () => {
  for (const page of ['operations.md', 'operations.zh-CN.md']) {
    const text = readFileSync(join(import.meta.dirname, '../../../../docs', page), 'utf8')
    assert.ok(text.includes(`version of the agent (schema ${NEWEST_SCHEMA})`), page)
  }
})
