import type { Micros } from '../base/timestamp.ts'
import type { OutputTotals } from '../jobs/job.ts'
import type { OutputStream } from '../process/types.ts'

/** A piece of a job's output as it was read. */
export interface Chunk {
  /** Counts the chunks of a job from 1, over both streams. */
  seq: number
  stream: OutputStream
  time: Micros
  /** How many bytes the job had written before this chunk, to both streams. */
  position: number
  /** The same, to this stream. */
  streamPosition: number
  bytes: Uint8Array
}

/** Which stored chunks are superseded: those from `fromSeq` on, as far as they lie before `position`. */
export interface Superseded {
  fromSeq: number
  position: number
}

/** Where a chunk lies in what is kept, of one stream or of both. */
export interface LocatedChunk {
  seq: number
  offset: number
  length: number
}

/** What is kept of the outputs of all jobs. Every method may throw what the store throws. */
export interface OutputStore {
  /** Adds chunks to a job's output, all or none; returns how many superseded bytes were removed. */
  append(job: number, chunks: Chunk[], superseded?: Superseded): number
  /** The chunks that are kept, in order; a few at a time, so that readers hold nothing while they wait. */
  read(job: number, afterSeq?: number): Generator<Chunk>
  /** The next chunks after one, a few at most; none when there are no more yet. */
  readSome(job: number, afterSeq: number, most?: number): Chunk[]
  /** The kept chunks, of one stream or of both, the newest first. */
  readBackwards(job: number, stream?: OutputStream): Generator<Chunk>
  /** How many bytes are kept, of one stream or of both. */
  size(job: number, stream?: OutputStream): number
  /** The chunks that hold the bytes from offset `start` up to `end` of what is kept, without those bytes. */
  locateRange(job: number, start: number, end: number, stream?: OutputStream): LocatedChunk[]
  /** 0 when there is none. */
  lastSeq(job: number): number
  /** Undefined when the chunk is not kept. */
  bytesOf(job: number, seq: number): Uint8Array | undefined
  /** Where a chunk ends in all that the job wrote; undefined when it is not kept. */
  endOf(job: number, seq: number): number | undefined
  /** What the stored chunks tell of a job whose agent was lost. */
  totals(job: number): OutputTotals
}
