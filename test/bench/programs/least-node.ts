import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { errorAnswer, JOB_ID_HEADER, JSON_TYPE, success } from '../../../handlers/http/reply.ts'
import { validate } from '../../../handlers/http/validate.ts'
import { fieldsAfterOutput, fieldsBeforeOutput } from '../../../handlers/jobs/job-json.ts'
import { commandSchema } from '../../../handlers/jobs/job-schema.ts'
import { createClock } from '../../../lib/base/clock.ts'
import { failure } from '../../../lib/base/errors.ts'
import { JOB_ID_VARIABLE } from '../../../lib/jobs/environment.ts'
import { newFacts } from '../../../lib/jobs/facts.ts'
import type { JobRequest, RunningJob } from '../../../lib/jobs/job.ts'
import { createJobIds } from '../../../lib/jobs/job-id.ts'
import { logJobEvents } from '../../../lib/jobs/log-events.ts'
import { endedJob } from '../../../lib/jobs/outcome.ts'
import { execCmd, programOf } from '../../../lib/jobs/program.ts'
import { usageOfExit } from '../../../lib/process/usage-of-exit.ts'
import { openAudit } from '../../../lib/security/audit.ts'
import { hashesOf } from '../../../lib/security/audit-submission.ts'
import { DEFAULT_KEY } from '../../../lib/security/caller.ts'
import { createLogger } from '../../../runtime/log.ts'
import { checkSignature } from './check-signature.ts'
import { type ProcessEnd, startBash } from './least-process.ts'

// least-node.ts <directory>: the least that a server on Node can do for a job and still be asked, and answer, as the
// agent is: it checks the signature and the body, runs at most five at a time, writes a line of the audit trail and a
// record before the start, changes the record at the end, writes three lines of the log. But node:http without a router
// or an adapter, records of three columns, and no containment: nothing is marked, guarded, limited or stopped, and output
// is neither read before the end nor kept.
const directory = process.argv[2]!
const { log } = await createLogger('info', false)
const audit = await openAudit({ directory, log })
const newId = createJobIds()
const clock = createClock()
const tell = logJobEvents(log)
const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value}`)

const database = new DatabaseSync(join(directory, 'jobs.db'))
database.exec(`
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE jobs (number INTEGER PRIMARY KEY, state TEXT, pid INTEGER, status INTEGER)`)
const insert = database.prepare(`INSERT INTO jobs (state) VALUES ('running')`)
const finish = database.prepare('UPDATE jobs SET state = ?, pid = ?, status = ? WHERE number = ?')

const MOST_RUNNING = 5
let running = 0

const submit = async (request: IncomingMessage) => {
  const { sign = '', signat: signAt = '' } = request.headers
  checkSignature(String(sign), String(signAt))
  const body = await readBody(request)
  const asked = validate(commandSchema, JSON.parse(body.toString()))
  if (running >= MOST_RUNNING) throw failure('too-many-jobs-of-key', { limit: MOST_RUNNING })
  running++
  try {
    return await run(asked, body, request.socket.remoteAddress ?? '')
  } finally {
    running--
  }
}

const readBody = (request: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.once('end', () => resolve(Buffer.concat(chunks))).once('error', reject)
  })

const run = async (asked: JobRequest, body: Buffer, client: string) => {
  const caller = { id: DEFAULT_KEY, address: client }
  const facts = newFacts(asked, { id: newId(), createTime: clock.now(), scriptDirectory: '', caller })
  const hashes = hashesOf({ ...asked, commandLine: execCmd(facts) }, body)
  const { id } = facts
  await audit.recordOrFail({
    action: 'submit',
    outcome: 'accepted',
    caller: caller.id,
    client,
    job: id,
    ...hashes,
  })
  const { lastInsertRowid: number } = insert.run()
  const ended = Promise.withResolvers<ProcessEnd>()
  const env = [...environment, `${JOB_ID_VARIABLE}=${id}`]
  const pid = startBash(programOf(asked, '').args, env, ended.resolve)
  const job: RunningJob = { ...facts, state: 'running', pid, startTime: clock.now() }
  tell({ kind: 'started', job })
  return finished(job, Number(number), await ended.promise)
}

const finished = (started: RunningJob, number: number, { exit, stdout, stderr }: ProcessEnd) => {
  const reason = exit.status.signal === 0 ? 'exited' : 'signaled'
  const job = endedJob(started, { reason, exit, finishTime: clock.now(), usage: usageOfExit(exit) })
  finish.run(job.state, job.pid, job.exitCode, number)
  const keptBytes = stdout.length + stderr.length
  const output = { stdoutBytes: stdout.length, stderrBytes: stderr.length, keptBytes }
  tell({ kind: 'ended', job, totals: output })
  const record = { job, output, livingLeftovers: 0 }
  return {
    ...fieldsBeforeOutput(record),
    stdout: stdout.toString(),
    stderr: stderr.toString(),
    ...fieldsAfterOutput(record, keptBytes),
  }
}

const server = createServer(async (request, response) => {
  const begin = performance.now()
  const { status, headers, envelope, jobId } = await submit(request).then(
    job => ({ status: 200, headers: { [JOB_ID_HEADER]: job.id }, envelope: success(job), jobId: job.id }),
    error => ({ ...errorAnswer(error), jobId: undefined }),
  )
  const text = JSON.stringify(envelope)
  response.writeHead(status, {
    'Content-Type': JSON_TYPE,
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
  const { method, url: path, socket } = request
  const ms = Math.round((performance.now() - begin) * 10) / 10
  log.info({ method, path, status, ms, client: socket.remoteAddress, jobId, caller: DEFAULT_KEY }, 'request')
})

await once(server.listen(0, '127.0.0.1'), 'listening')
log.info({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, 'listening')
