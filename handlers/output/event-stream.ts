import { formatTimestamp } from '../../lib/base/timestamp.ts'
import { decodeAlone } from '../../lib/output/text.ts'
import { OutputRemovedError, type OutputView } from '../../lib/output/view.ts'
import type { Chunk } from '../../lib/store/output-store.ts'
import {
  EVENT_STREAM_HEADERS,
  encoded,
  serverSentEvent as event,
  HEARTBEAT_MS,
  STILL_HERE,
} from '../http/server-sent-events.ts'
import { jobToJson } from '../jobs/job-json.ts'
import { jobText } from '../jobs/job-text.ts'
import type { StreamedReply } from '../jobs/with-job.ts'
import type { OpenJob } from '../services.ts'

export interface EventStreamOptions {
  /** Begins after this chunk; 0 is the beginning. */
  after?: number
  /** Begins with the last lines, counted over both streams, unless `after` says where. */
  tail?: number | undefined
  /** Goes on until the job ends; else until all that is kept now was given. */
  follow?: boolean
  /** The job of the last event with all its output. */
  withOutput?: boolean
  /** Every chunk in base64, also what is text. */
  inBase64?: boolean
}

/**
 * A job as server-sent events (WHATWG HTML, 9.2): `start`, `stdout` and `stderr` with the seq as id, `dropped`, and
 * `end` with the final job; or `caught-up`, with the job as it is, when a running one is not followed.
 */
export const eventStream = (job: OpenJob, options: EventStreamOptions = {}): StreamedReply => ({
  headers: EVENT_STREAM_HEADERS,
  pieces: signal => encoded(eventsOf(job, options, signal)),
})

async function* eventsOf(
  job: OpenJob,
  { after = 0, tail, follow = true, withOutput = true, inBase64 = false }: EventStreamOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { output } = job
  const untilSeq = follow || !output.isRunning() ? undefined : output.lastSeq()
  const from = startOf(output, after, tail)
  // Where the last chunk that the reader has ended; unknown when it was superseded since.
  let { position } = from
  if (after === 0) yield event('start', jobToJson(await stillThere(job)))
  const { afterSeq } = from
  for await (const chunks of output.follow({ afterSeq, untilSeq, signal, idleMs: HEARTBEAT_MS })) {
    if (chunks.length === 0) yield STILL_HERE
    for (const whole of chunks) {
      const chunk = beginningAt(whole, position)
      const dropped = position === undefined ? undefined : chunk.position - position
      if (dropped !== 0) yield event('dropped', { bytes: dropped ?? null })
      yield event(chunk.stream, dataOf(chunk, inBase64 ? undefined : output.encoding), chunk.seq)
      position = chunk.position + chunk.bytes.length
    }
  }
  if (signal.aborted) return
  const record = await stillThere(job)
  if (untilSeq !== undefined) return yield event('caught-up', jobToJson(record))
  const total = record.output.stdoutBytes + record.output.stderrBytes
  if (position !== undefined && position < total) yield event('dropped', { bytes: total - position })
  if (!withOutput) return yield event('end', jobToJson(record))
  yield 'event: end\ndata: '
  yield* jobText(record, output)
  yield '\n\n'
}

/** After which chunk the reader begins, and which position in what the job wrote it has reached, if that is known. */
const startOf = (output: OutputView, after: number, tail: number | undefined) => {
  if (after === 0 && tail !== undefined) return output.locate(output.tailStart(tail))
  return { afterSeq: after, position: after === 0 ? 0 : output.endOf(after) }
}

/** The first of the last lines may begin within a chunk. */
const beginningAt = (chunk: Chunk, position = 0): Chunk => {
  const skipped = position - chunk.position
  return skipped > 0 ? { ...chunk, position, bytes: chunk.bytes.subarray(skipped) } : chunk
}

const stillThere = async (job: OpenJob) => {
  const record = await job.now()
  if (!record) throw new OutputRemovedError()
  return record
}

/** In base64 when it is not valid in the encoding, or none is given. */
const dataOf = ({ seq, time, position, bytes }: Chunk, encoding: string | undefined) => {
  const text = encoding === undefined ? undefined : decodeAlone(bytes, encoding)
  const content = text === undefined ? { base64: Buffer.from(bytes).toString('base64') } : { text }
  return { seq, time: formatTimestamp(time), position, ...content }
}
