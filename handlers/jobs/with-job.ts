import { failure } from '../../lib/base/errors.ts'
import { JOB_ID_HEADER } from '../http/reply.ts'
import { type Reading, type Source, streamOf } from '../http/stream.ts'
import type { JobService, OpenJob } from '../services.ts'

/** An answer whose body is made while it is sent, from the open job. */
export interface StreamedReply {
  status?: number
  headers: Record<string, string>
  /** Of its body. */
  pieces: Source
}

/**
 * Answers with a job that is opened once, before anything is waited for, and closed when the answer has been made,
 * sent, canceled, or has failed. Rejects with AgentError unknown-job, and with whatever `answer` does.
 */
export const withJob = async (
  id: string,
  jobs: Pick<JobService, 'open'>,
  { signal }: Pick<Request, 'signal'>,
  reading: Reading,
  answer: (job: OpenJob) => Response | StreamedReply | Promise<Response | StreamedReply>,
): Promise<Response> => {
  const job = jobs.open(id)
  if (!job) throw failure('unknown-job')
  let isStreaming = false
  try {
    const reply = await answer(job)
    if (!('pieces' in reply)) return reply
    const { status = 200, headers, pieces } = reply
    const stream = streamOf(pieces, { ...reading, signal }, () => job.close())
    isStreaming = true
    // The global Response: the one of @whatwg-node/fetch reads ahead of its reader.
    return new Response(stream, { status, headers: { ...headers, [JOB_ID_HEADER]: id } })
  } finally {
    if (!isStreaming) job.close()
  }
}
