import { z } from 'zod'
import { OutputRemovedError, type OutputView } from '../../lib/output/view.ts'
import type { OutputStream } from '../../lib/process/types.ts'
import { validateQuery } from '../http/query.ts'
import { flag } from '../http/query-values.ts'
import { refusal } from '../http/refusal.ts'
import { type StreamedReply, withJob } from '../jobs/with-job.ts'
import type { Handler } from '../services.ts'
import { parseRange } from './range.ts'
import { tailSchema } from './tail-schema.ts'

/**
 * The kept bytes of one stream, or of both in order, as the job wrote them. Range requests for a job that has ended;
 * `?tail=100` begins with the last lines, `?follow=true` goes on until the job ends.
 */
export const readOutput =
  (stream?: OutputStream): Handler =>
  (request, { jobs }, { reading }) => {
    const query = validateQuery(querySchema, request.url)
    return withJob(request.params.id ?? '', jobs, request, reading, ({ output }) =>
      replyOutput(request, output, { ...query, stream }),
    )
  }

interface Asked {
  tail?: number | undefined
  follow: boolean
  stream: OutputStream | undefined
}

const replyOutput = (
  request: Pick<Request, 'method' | 'headers'>,
  output: OutputView,
  { tail, follow, stream }: Asked,
): StreamedReply => {
  const start = tail === undefined ? 0 : output.tailStart(tail, stream)
  if (follow) {
    const from = output.locate(start, stream) // Now: what lies before may be superseded before the body is read.
    return { headers: HEADERS, pieces: signal => following(output, stream, from, signal) }
  }
  const size = output.size(stream)
  // What a running job has kept may be superseded while it is read, so no length can be promised.
  if (output.isRunning()) return { headers: HEADERS, pieces: () => whileKept(output, start, size, stream) }

  const part = (start: number, end: number, headers = {}, status = 200): StreamedReply => ({
    status,
    headers: { ...HEADERS, ...headers, 'Content-Length': String(end - start) },
    pieces: () => output.read(start, end, stream),
  })
  if (tail !== undefined) return part(start, size)
  // Range is defined for GET alone, and without a validator of ours no If-Range can match.
  const isRangeable = request.method === 'GET' && !request.headers.has('if-range')
  const range = isRangeable ? parseRange(request.headers.get('range'), size) : undefined
  if (range === 'unsatisfiable') throw refusal('range-not-satisfiable', { size })
  if (!range) return part(0, size, ACCEPT_RANGES)
  const contentRange = { 'Content-Range': `bytes ${range.start}-${range.end - 1}/${size}` }
  return part(range.start, range.end, { ...ACCEPT_RANGES, ...contentRange }, 206)
}

const HEADERS = {
  'Content-Type': 'application/octet-stream',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
}
const ACCEPT_RANGES = { 'Accept-Ranges': 'bytes' }

export const querySchema = z.object({
  tail: tailSchema,
  follow: flag(false, '`true` goes on until the job ends.'),
})

function* whileKept(
  view: OutputView,
  start: number,
  end: number,
  stream: OutputStream | undefined,
): Generator<Uint8Array> {
  try {
    yield* view.read(start, end, stream)
  } catch (error) {
    if (!(error instanceof OutputRemovedError)) throw error // Newer output has taken its place.
  }
}

async function* following(
  view: OutputView,
  stream: OutputStream | undefined,
  { afterSeq, position }: ReturnType<OutputView['locate']>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunks of view.follow({ afterSeq, signal })) {
    for (const chunk of chunks) {
      if (stream !== undefined && chunk.stream !== stream) continue
      const skipped = position - (stream === undefined ? chunk.position : chunk.streamPosition)
      const part = skipped > 0 ? chunk.bytes.subarray(skipped) : chunk.bytes
      if (part.length > 0) yield part
    }
  }
}
