import type { OpenJob } from '../../handlers/services.ts'
import type { JobRecord } from '../../lib/jobs/job.ts'
import { type FollowOptions, OutputRemovedError, type OutputView } from '../../lib/output/view.ts'
import type { OutputStream } from '../../lib/process/types.ts'
import type { Chunk } from '../../lib/store/output-store.ts'
import { ID, jobRecord } from './fake-services.ts'

export interface FakeOutputOptions {
  encoding?: string
  /** How many chunks a follower is given at a time. */
  turn?: number
  /** A reader that has taken so many pieces gets this error instead of the next. */
  failAfter?: number
  failure?: Error
  /** The job as it is now, instead of one that fits the output. */
  now?: () => Promise<JobRecord | undefined>
}

export const SOURCE_ERROR = new Error('disk /root/secret')
/** The time of the first chunk in microseconds; each chunk is a second later. */
export const FIRST_TIME = 1_671_170_774_000_000
export const TIME_STEP = 1_000_000

/** The output of a running job, told by the test what is written; records what its readers do. */
export const createFakeOutput = ({
  encoding = 'utf-8',
  turn = 1,
  failAfter = Number.POSITIVE_INFINITY,
  failure = SOURCE_ERROR,
  now,
}: FakeOutputOptions = {}) => {
  let chunks: Chunk[] = []
  let running = true
  let removed = false
  let seq = 0
  let position = 0
  const written = { stdout: 0, stderr: 0 }
  const waiting = new Set<(isIdle: boolean) => void>()
  const wake = (isIdle = false) => {
    for (const resolve of waiting) resolve(isIdle)
    waiting.clear()
  }
  const bytesOf = (stream?: OutputStream): Buffer =>
    Buffer.concat(
      chunks.filter(chunk => stream === undefined || chunk.stream === stream).map(({ bytes }) => bytes),
    )

  const output = {
    /** Pieces that readers have taken. */
    taken: 0,
    /** Iterators that were made, and those of them that have ended, failed or were returned. */
    opened: 0,
    released: 0,
    follows: [] as FollowOptions[],
    jobReads: 0,
    /** How often the job was opened, and how many of those are closed. */
    jobsOpened: 0,
    jobsClosed: 0,
    get chunks(): readonly Chunk[] {
      return chunks
    },
    get bytes(): Buffer {
      return bytesOf()
    },
    of: bytesOf,

    append(stream: OutputStream, content: string | Uint8Array) {
      const bytes = Buffer.from(content as string)
      const time = FIRST_TIME + seq * TIME_STEP
      chunks.push({ seq: ++seq, stream, time, position, streamPosition: written[stream], bytes })
      position += bytes.length
      written[stream] += bytes.length
      wake()
      return output
    },
    /** What is written and never stored. */
    skip(stream: OutputStream, bytes: number) {
      position += bytes
      written[stream] += bytes
      return output
    },
    /** The job goes, with all that it wrote. */
    remove() {
      removed = true
      chunks = []
      return output
    },
    /** What was stored gives way. */
    supersede(...seqs: number[]) {
      chunks = chunks.filter(chunk => !seqs.includes(chunk.seq))
      return output
    },
    end() {
      running = false
      wake()
      return output
    },
    /** The time of every waiting follower is up. */
    idle() {
      wake(true)
    },
    /** As the job service opens the job. */
    open(): OpenJob {
      output.jobsOpened++
      let isOpen = true
      return {
        id: ID,
        async now() {
          output.jobReads++
          return now ? now() : recordNow()
        },
        async waitForEnd() {},
        output: output.view,
        close() {
          if (isOpen) output.jobsClosed++
          isOpen = false
        },
      }
    },
    view: undefined as unknown as OutputView,
  }

  const recordNow = (): JobRecord =>
    jobRecord(
      { state: running ? 'running' : 'success', encoding },
      { stdoutBytes: written.stdout, stderrBytes: written.stderr, keptBytes: bytesOf().length },
    )

  /** Written out, since a generator that was never started does not see that it is returned. */
  const opened = () => {
    output.opened++
    let isOpen = true
    const release = () => {
      if (isOpen) output.released++
      isOpen = false
    }
    return {
      release,
      take() {
        if (output.taken >= failAfter) {
          release()
          throw failure
        }
        output.taken++
      },
    }
  }

  const read = (start: number, end: number, stream?: OutputStream): Iterable<Uint8Array> => ({
    [Symbol.iterator]() {
      const { release, take } = opened()
      let at = 0
      const pieces = chunks
        .filter(chunk => stream === undefined || chunk.stream === stream)
        .map(({ bytes }) => {
          const piece = bytes.subarray(Math.max(0, start - at), Math.max(0, end - at))
          at += bytes.length
          return piece
        })
        .filter(piece => piece.length > 0)
      return {
        next() {
          const value = pieces.shift()
          if (value) {
            take()
            return { done: false, value }
          }
          release()
          return { done: true, value: undefined }
        },
        return() {
          release()
          return { done: true, value: undefined }
        },
      }
    },
  })

  const follow = (options: FollowOptions): AsyncIterable<Chunk[]> => {
    output.follows.push(options)
    return {
      [Symbol.asyncIterator]() {
        const { release, take } = opened()
        const done = { done: true, value: undefined } as const
        let { afterSeq, untilSeq = Number.POSITIVE_INFINITY } = options
        return {
          async next() {
            while (!options.signal.aborted) {
              const some = chunks.filter(({ seq }) => seq > afterSeq && seq <= untilSeq).slice(0, turn)
              if (some.length > 0) {
                take()
                afterSeq = some.at(-1)!.seq
                return { done: false, value: some }
              }
              if (!running || untilSeq !== Number.POSITIVE_INFINITY) break
              const { promise, resolve } = Promise.withResolvers<boolean>()
              waiting.add(resolve)
              options.signal.addEventListener('abort', () => resolve(false), { once: true })
              if (await promise) return { done: false, value: [] }
            }
            release()
            return done
          },
          async return() {
            release()
            return done
          },
        }
      },
    }
  }

  output.view = {
    encoding,
    isRunning: () => running,
    size: stream => bytesOf(stream).length,
    read,
    tailStart: (lines, stream) => {
      const text = bytesOf(stream).toString('latin1')
      const all = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
      return text.length - all.slice(-lines).join('').length
    },
    follow,
    lastSeq: () => chunks.at(-1)?.seq ?? 0,
    endOf: wanted => {
      const chunk = chunks.find(chunk => chunk.seq === wanted)
      return chunk && chunk.position + chunk.bytes.length
    },
    locate: (offset, stream) => {
      let at = 0
      for (const chunk of chunks) {
        if (stream !== undefined && chunk.stream !== stream) continue
        const begin = stream === undefined ? chunk.position : chunk.streamPosition
        if (at + chunk.bytes.length > offset)
          return { afterSeq: chunk.seq - 1, position: begin + offset - at }
        at += chunk.bytes.length
      }
      return { afterSeq: seq, position: 0 }
    },
    snapshot() {
      const then = [...chunks]
      let delivered = 0
      return {
        *texts(stream) {
          const decoder = new TextDecoder(encoding, { ignoreBOM: true })
          for (const chunk of then) {
            if (removed) throw new OutputRemovedError()
            if (chunk.stream !== stream || !chunks.includes(chunk)) continue
            delivered += chunk.bytes.length
            yield decoder.decode(chunk.bytes, { stream: true })
          }
          yield decoder.decode()
        },
        deliveredBytes: () => delivered,
      }
    },
  }
  return output
}

export type FakeOutput = ReturnType<typeof createFakeOutput>
