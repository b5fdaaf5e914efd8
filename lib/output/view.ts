import type { OutputStream } from '../process/types.ts'
import type { Chunk, OutputStore } from '../store/output-store.ts'
import { type FollowOptions, follow } from './follow.ts'
import { locate, readRange, tailStart } from './range.ts'
import { createSnapshot, type OutputSnapshot } from './snapshot.ts'
import type { OutputSource } from './source.ts'

export type { FollowOptions } from './follow.ts'
export { OutputRemovedError } from './output-removed-error.ts'
export type { OutputSnapshot } from './snapshot.ts'
export type { OutputSource } from './source.ts'

/** The kept output of one job, read from the store at the reader's own pace. */
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
  /** Chunks as they are stored, until all were given: those up to `untilSeq`, or of an ended job. Throws OutputRemovedError. */
  follow(options: FollowOptions): AsyncIterable<Chunk[]>
  /** Of the last chunk that is stored; 0 when there is none. */
  lastSeq(): number
  /** Where a chunk ends in all that the job wrote; undefined when it is not kept any more. */
  endOf(seq: number): number | undefined
  /** What is kept now, to be read as text later. */
  snapshot(): OutputSnapshot
}

export const createOutputView = (store: OutputStore, source: OutputSource): OutputView => {
  const { number, encoding } = source
  return {
    encoding,
    isRunning: () => source.running() !== undefined,
    size: stream => store.size(number, stream),
    read: (start, end, stream) => readRange(store, number, { start, end, stream }),
    tailStart: (lines, stream) => tailStart(store, number, lines, stream),
    locate: (offset, stream) => locate(store, number, offset, stream),
    follow: options => follow(store, source, options),
    lastSeq: () => store.lastSeq(number),
    endOf: seq => store.endOf(number, seq),
    snapshot: () => createSnapshot(store, source),
  }
}
