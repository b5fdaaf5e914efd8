import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServerAdapter } from '@whatwg-node/server'
import { errorAnswer, JOB_ID_HEADER, json, ok } from '../../../handlers/http/reply.ts'
import { jobWithOutput } from '../../../handlers/jobs/job-json.ts'
import { AgentError, failure } from '../../../lib/base/errors.ts'
import { createSnapshot } from '../../../lib/output/snapshot.ts'
import { DEFAULT_KEY } from '../../../lib/security/caller.ts'
import { openDatabase } from '../../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../../../lib/store/sqlite/outputs.ts'
import { createLogger } from '../../../runtime/log.ts'
import { checkSignature } from './check-signature.ts'

// least-look-up.ts <database>: the least that a server made of the agent's parts can do to look up a job and still send the
// same body: on the adapter, it checks the signature, looks up the job and its output in the agent's store, and writes the
// answer and a line of the log. It has no router, no limits and no metrics, does not check what a caller may do, and does
// not notice when a client goes away. Logs the URL of the newest job.
const { log } = await createLogger('info', false)
const database = openDatabase(process.argv[2]!, log)
const jobs = createJobStore(database)
const outputs = createOutputStore(database)

const lookUp = (id: string) => {
  const found = jobs.find(id)
  if (!found) throw failure('unknown-job')
  const { number, job, totals } = found
  const source = { number, encoding: job.encoding, running: () => undefined, exists: () => true }
  return jobWithOutput({ job, output: totals, livingLeftovers: 0 }, createSnapshot(outputs, source))
}

const answer = ({ headers, url }: Request): Response => {
  try {
    checkSignature(headers.get('sign') ?? '', headers.get('signat') ?? '')
    const id = url.slice(url.lastIndexOf('/') + 1)
    return ok(lookUp(id), { [JOB_ID_HEADER]: id })
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const { status, envelope } = errorAnswer(error)
    return json(status, JSON.stringify(envelope), {})
  }
}

const server = createServer(
  createServerAdapter<Connected>((request, { req }) => {
    const begin = performance.now()
    const response = answer(request)
    const ms = Math.round((performance.now() - begin) * 10) / 10
    const client = req.socket.remoteAddress
    const { method, url: path } = req
    log.info({ method, path, status: response.status, ms, client, caller: DEFAULT_KEY }, 'request')
    return response
  }),
)

/** What the adapter hands over with each request. */
interface Connected {
  req: IncomingMessage
}

const [newest] = jobs.list({ limit: 1 }).jobs
await once(server.listen(0, '127.0.0.1'), 'listening')
const { port } = server.address() as AddressInfo
log.info({ address: `http://127.0.0.1:${port}/api/jobs/${newest?.job.id}` }, 'listening')
