import type { JobJson } from '../jobs/job.ts'
import type { ActiveJob } from '../jobs/jobs.ts'
import type { OutputStream } from '../process/types.ts'
import type { JobStore } from '../store/job-store.ts'
import type { Chunk, OutputStore } from '../store/output-store.ts'
import type { Notifier } from './notifier.ts'
import { decodeStream } from './text.ts'

export interface OutputViewOptions {
  active: ReadonlyMap<string, ActiveJob>
  jobStore: JobStore
  outputStore: OutputStore
  get(id: string, options?: { output?: boolean }): Promise<JobJson | undefined>
}

export interface FollowOptions {
  /** Only chunks after this one. */
  afterSeq: number
  /** Ends the following when the reader is gone. */
  signal: AbortSignal
  /** When nothing happens for so many milliseconds, an empty array says that all is well. */
  idleMs?: number
}

/** The kept output of one job, to be read at the reader's own pace: nothing of it is held in memory. */
export interface OutputView {
  encoding: string
  isRunning(): boolean
  /** How many bytes are kept, of one stream or of both. */
  size(stream?: OutputStream): number
  /** The kept bytes from offset `start` up to `end`. Throws OutputRemovedError when they go meanwhile. */
  read(start: number, end: number, stream?: OutputStream): Iterable<Uint8Array>
  /** The offset at which the last `lines` lines begin. */
  tailStart(lines: number, stream?: OutputStream): number
  /** After which chunk to follow, and from which position in what the job wrote, to begin at an offset. */
  locate(offset: number, stream?: OutputStream): { afterSeq: number; position: number }
  /** Chunks as they are stored, until the job has ended and all were given. */
  follow(options: FollowOptions): AsyncIterable<Chunk[]>
  /** Where a chunk ends in all that the job wrote; undefined when it is not kept any more. */
  endOf(seq: number): number | undefined
  /** What is kept of a stream, decoded, piece by piece. Throws OutputRemovedError when it goes meanwhile. */
  texts(stream: OutputStream): Iterable<string>
  /** The job as it is now. */
  job(options?: { output?: boolean }): Promise<JobJson | undefined>
}

/** Newer output, or other jobs, have taken its place. */
export class OutputRemovedError extends Error {
  constructor() {
    super('the output was removed while it was read')
  }
}

export const createOutputViews = ({ active, jobStore, outputStore, get }: OutputViewOptions) => ({
  /** Undefined for an unknown job. */
  openOutput(id: string): OutputView | undefined {
    active.get(id)?.capture.refresh()
    const stored = jobStore.find(id)
    if (!stored) return undefined
    const { number, job } = stored
    const isRunning = (): boolean => active.get(id)?.job.state === 'running'
    return {
      encoding: job.encoding,
      isRunning,
      size: stream => outputStore.size(number, stream),
      read: (start, end, stream) => readRange(outputStore, number, start, end, stream),
      tailStart: (lines, stream) => tailStart(outputStore, number, lines, stream),
      follow: options =>
        follow(
          () => active.get(id),
          () => jobStore.find(id) !== undefined,
          outputStore,
          number,
          options,
        ),
      endOf: seq => outputStore.endOf(number, seq),
      locate: (offset, stream) => locate(outputStore, number, offset, stream),
      *texts(stream) {
        yield* decodeStream(outputStore.read(number), stream, job.encoding)
        // What is missing must not pass for the end.
        if (!jobStore.find(id)) throw new OutputRemovedError()
      },
      job: options => get(id, options),
    }
  },
})

function* readRange(
  store: OutputStore,
  job: number,
  start: number,
  end: number,
  stream: OutputStream | undefined,
): Generator<Uint8Array> {
  // Which chunks are meant is settled first: what takes their place meanwhile is none of the reader's.
  const located = store.locateRange(job, start, end, stream)
  const last = located.at(-1)
  // Its length was promised already: an answer that just ends would look whole.
  if (end > start && !(last && last.offset + last.length >= end)) throw new OutputRemovedError()
  for (const { seq, offset, length } of located) {
    const bytes = store.bytesOf(job, seq)
    if (bytes?.length !== length) throw new OutputRemovedError()
    yield bytes.subarray(Math.max(0, start - offset), Math.min(length, end - offset))
  }
}

const tailStart = (
  store: OutputStore,
  job: number,
  lines: number,
  stream: OutputStream | undefined,
): number => {
  let offset = store.size(job, stream)
  let missing = lines
  let isLast = true
  for (const { bytes } of store.readBackwards(job, stream)) {
    for (let at = bytes.length - 1; at >= 0; at--) {
      // A line end at the very end closes the last line, and begins none.
      if (bytes[at] === NEWLINE && !isLast && --missing === 0) return offset - (bytes.length - 1 - at)
      isLast = false
    }
    offset -= bytes.length
  }
  return 0
}

const locate = (store: OutputStore, job: number, offset: number, stream: OutputStream | undefined) => {
  const [at] = store.locateRange(job, offset, offset + 1, stream)
  const chunk = at && store.readSome(job, at.seq - 1)[0]
  // Beyond all that is kept: whatever comes is new.
  if (!chunk) return { afterSeq: store.lastSeq(job), position: 0 }
  const begin = stream === undefined ? chunk.position : chunk.streamPosition
  return { afterSeq: at.seq - 1, position: begin + offset - at.offset }
}

async function* follow(
  entry: () => ActiveJob | undefined,
  exists: () => boolean,
  store: OutputStore,
  job: number,
  { afterSeq, signal, idleMs }: FollowOptions,
): AsyncGenerator<Chunk[]> {
  let seq = afterSeq
  while (!signal.aborted) {
    const now = entry()
    const chunks = store.readSome(job, seq, CHUNKS_A_TURN)
    if (chunks.length > 0) {
      seq = chunks.at(-1)!.seq
      yield chunks
    } else if (now?.job.state !== 'running') {
      // A job that was removed has not ended here: what is missing must not pass for the end.
      if (!exists()) throw new OutputRemovedError()
      return
    } else if (!(await nextChange(now.changes, signal, idleMs))) yield []
  }
}

/**
 * True when there is a change or the reader has gone, false when the time is up first. It must be called without a
 * wait after the last look, so that no change is missed; and it leaves nothing behind, however often it is called.
 */
const nextChange = async (changes: Notifier, signal: AbortSignal, idleMs = 2 ** 30): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const wake = () => resolve(true)
  const forget = changes.wait(wake)
  const timer = setTimeout(resolve, idleMs, false)
  signal.addEventListener('abort', wake)
  try {
    return await promise
  } finally {
    forget()
    clearTimeout(timer)
    signal.removeEventListener('abort', wake)
  }
}

/** What a reader that is stuck keeps in memory. */
const CHUNKS_A_TURN = 2
const NEWLINE = 10
