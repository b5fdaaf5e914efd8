import { errors } from '../../lib/base/errors.ts'
import type { JobJson } from '../../lib/jobs/job.ts'
import { JOB_ID_HEADER, JSON_TYPE, ok, success } from '../http/reply.ts'
import { streamOf } from '../http/stream.ts'
import type { JobService } from '../services.ts'
import { withOutput } from './long-output.ts'

/** A job, or 404. Output that is too long for one piece, and wanted, is sent as it is read. */
export const okJob = (
  job: JobJson | undefined,
  jobs: Pick<JobService, 'openOutput'>,
  signal: AbortSignal,
  { output = true } = {},
): Response => {
  if (!job) throw errors.unknownJob()
  const headers = { [JOB_ID_HEADER]: job.id }
  const view = output && lacksOutput(job) ? jobs.openOutput(job.id) : undefined
  if (!view) return ok(job, headers)
  const json = JSON.stringify(success(job))
  return new Response(
    streamOf(() => encoded(withOutput(json, view)), signal),
    { headers: { 'Content-Type': JSON_TYPE, ...headers } },
  )
}

/** While it runs, what it writes takes the place of what is being read. */
const lacksOutput = ({ state, stdout, stderr, stdoutBytes, stderrBytes, droppedBytes }: JobJson): boolean =>
  state !== 'running' && stdout === '' && stderr === '' && stdoutBytes + stderrBytes > droppedBytes

function* encoded(texts: Iterable<string>): Generator<Uint8Array> {
  for (const text of texts) if (text !== '') yield Buffer.from(text)
}
