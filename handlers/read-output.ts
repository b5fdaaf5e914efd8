import { z } from 'zod'
import { errors } from '../lib/errors.ts'
import type { OutputView } from '../lib/output-view.ts'
import type { OutputStream } from '../lib/process/spawn.ts'
import { parseRange } from './range.ts'
import { JOB_ID_HEADER } from './reply.ts'
import type { Handler } from './services.ts'
import { streamOf } from './stream.ts'
import { validateQuery } from './validate.ts'

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
    const start = tail === undefined ? 0 : view.tailStart(tail, stream)
    if (follow) return new Response(streamOf(following(view, stream, start, request.signal)), { headers })

    const size = view.size(stream)
    // What a running job has kept may be superseded while it is read, so no length can be promised.
    if (view.isRunning()) return new Response(streamOf(whileKept(view, start, size, stream)), { headers })
    if (tail !== undefined) return partOf(view, { start, end: size }, stream, 200, headers)

    headers['Accept-Ranges'] = 'bytes'
    const range = request.headers.has('if-range') ? undefined : parseRange(request.headers.get('range'), size)
    if (range === 'unsatisfiable') throw errors.rangeNotSatisfiable(size)
    if (!range) return partOf(view, { start: 0, end: size }, stream, 200, headers)
    headers['Content-Range'] = `bytes ${range.start}-${range.end - 1}/${size}`
    return partOf(view, range, stream, 206, headers)
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

const partOf = (
  view: OutputView,
  { start, end }: { start: number; end: number },
  stream: OutputStream | undefined,
  status: number,
  headers: Record<string, string>,
): Response =>
  new Response(streamOf(view.read(start, end, stream)), {
    status,
    headers: { ...headers, 'Content-Length': String(end - start) },
  })

function* whileKept(
  view: OutputView,
  start: number,
  end: number,
  stream: OutputStream | undefined,
): Generator<Uint8Array> {
  try {
    yield* view.read(start, end, stream)
  } catch {
    // Newer output has taken its place.
  }
}

async function* following(
  view: OutputView,
  stream: OutputStream | undefined,
  start: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let skip = start
  for await (const chunks of view.follow({ afterSeq: 0, signal })) {
    for (const { stream: of, bytes } of chunks) {
      if (stream !== undefined && of !== stream) continue
      const part = bytes.subarray(Math.min(skip, bytes.length))
      skip -= bytes.length - part.length
      if (part.length > 0) yield part
    }
  }
}
