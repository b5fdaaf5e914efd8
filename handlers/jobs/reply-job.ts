import { failure } from '../../lib/base/errors.ts'
import type { JobRecord } from '../../lib/jobs/job.ts'
import { OutputRemovedError } from '../../lib/output/view.ts'
import { type Caller, mayReadOutput } from '../../lib/security/caller.ts'
import type { OutboxSummary } from '../../lib/store/outbox-store.ts'
import { JOB_ID_HEADER, JSON_TYPE, ok } from '../http/reply.ts'
import type { OpenJob } from '../services.ts'
import { jobToJson, jobWithOutput } from './job-json.ts'
import { jobText } from './job-text.ts'
import type { StreamedReply } from './with-job.ts'

/**
 * A job as it is now, with `usage` also what it uses if it runs, with `notifications` also those; long output is sent
 * as it is read, and to whoever may read it. Rejects with AgentError unknown-job when it was removed.
 */
export const replyJob = async (
  job: OpenJob,
  caller: Caller,
  {
    output = true,
    usage = false,
    notifications,
  }: { output?: boolean; usage?: boolean; notifications?: OutboxSummary[] } = {},
): Promise<Response | StreamedReply> => {
  const found = await (usage ? job.now({ usage }) : job.now())
  if (!found) throw failure('unknown-job')
  const record = notifications ? { ...found, notifications } : found
  const { stdoutBytes, stderrBytes, keptBytes } = record.output
  const headers = { [JOB_ID_HEADER]: job.id }
  if (!output || !mayReadOutput(caller, record.job.caller) || stdoutBytes + stderrBytes === 0)
    return ok(jobToJson(record), headers)
  if (keptBytes <= SHORT_OUTPUT_BYTES) return ok(whole(record, job), headers)
  const text = inEnvelope(jobText(record, job.output))
  return { headers: { 'Content-Type': JSON_TYPE }, pieces: () => encoded(text) }
}

const whole = (record: JobRecord, job: OpenJob) => {
  try {
    return jobWithOutput(record, job.output.snapshot())
  } catch (error) {
    if (!(error instanceof OutputRemovedError)) throw error
    // Nothing was sent yet, so the answer can say that the output is not there.
    return jobToJson({ ...record, output: { ...record.output, keptBytes: 0 } })
  }
}

/** The contract's envelope of success around JSON text. */
function* inEnvelope(data: Iterable<string>): Generator<string> {
  yield '{"code":0,"success":true,"msg":"","data":'
  yield* data
  yield '}'
}

function* encoded(texts: Iterable<string>): Generator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

/** In JSON each byte takes six characters at most. */
const SHORT_OUTPUT_BYTES = 128 << 10
