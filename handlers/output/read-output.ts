import { z } from 'zod'
import { errors } from '../../lib/base/errors.ts'
import { OutputRemovedError, type OutputView } from '../../lib/output/view.ts'
import type { OutputStream } from '../../lib/process/types.ts'
import { JOB_ID_HEADER } from '../http/reply.ts'
import { streamOf } from '../http/stream.ts'
import { validateQuery } from '../http/validate.ts'
import type { Handler } from '../services.ts'
import { parseRange } from './range.ts'

/**
 * The kept bytes of one stream, or of both in order, as the job wrote them. Range requests for a job that has ended;
 * `?tail=100` begins with the last lines, `?follow=true` goes on until the job ends.
 */
export const readOutput =
  (stream?: OutputStream): Handler =>
  (request, { jobs }) => {
    const { tail, follow } = validateQuery(querySchema, ['tail', 'follow'], request.url)
    const id = request.params.id ?? ''
    const view = jobs.openOutput(id)
    if (!view) throw errors.unknownJob()

    const headers: Record<string, string> = {
      'Content-Type': 'application/octet-stream',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
      [JOB_ID_HEADER]: id,
    }
    const { signal } = request
    const start = tail === undefined ? 0 : view.tailStart(tail, stream)
    if (follow) {
      const from = view.locate(start, stream) // Now: what lies before may be superseded before the body is read.
      return new Response(
        streamOf(gone => following(view, stream, from, gone), signal),
        { headers },
      )
    }

    const size = view.size(stream)
    // What a running job has kept may be superseded while it is read, so no length can be promised.
    if (view.isRunning()) {
      return new Response(
        streamOf(() => whileKept(view, start, size, stream), signal),
        { headers },
      )
    }
    const part = (start: number, end: number, status = 200): Response =>
      new Response(
        streamOf(() => view.read(start, end, stream), signal),
        {
          status,
          headers: { ...headers, 'Content-Length': String(end - start) },
        },
      )
    if (tail !== undefined) return part(start, size)

    headers['Accept-Ranges'] = 'bytes'
    // Range is defined for GET alone, and without a validator of ours no If-Range can match.
    const isRangeable = request.method === 'GET' && !request.headers.has('if-range')
    const range = isRangeable ? parseRange(request.headers.get('range'), size) : undefined
    if (range === 'unsatisfiable') throw errors.rangeNotSatisfiable(size)
    if (!range) return part(0, size)
    headers['Content-Range'] = `bytes ${range.start}-${range.end - 1}/${size}`
    return part(range.start, range.end, 206)
  }

const querySchema = z.object({
  tail: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, '应为大于 0 的行数')
    .transform(Number)
    .optional(),
  follow: z
    .enum(['true', 'false'])
    .default('false')
    .transform(text => text === 'true'),
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
