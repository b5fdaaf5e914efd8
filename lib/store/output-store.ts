import type { Micros } from '../base/timestamp.ts'
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

/** Where stored bytes lie in what is kept, of one stream or of both. */
export interface LocatedPiece {
  /** Of the first chunk in it. */
  seq: number
  /** How many bytes the job had written before that chunk. */
  position: number
  /** In what is kept. */
  offset: number
  /** At most 64 KiB. */
  length: number
}

/** How much a job has written, in bytes. */
export interface OutputTotals {
  /** Kept or not. */
  stdoutBytes: number
  stderrBytes: number
  /** What is kept, of both streams. */
  keptBytes: number
}

/**
 * What is kept of the outputs of all jobs. Every method may throw what the store throws. A reader's step takes 64 KiB
 * and a few hundred chunks at most.
 */
export interface OutputStore {
  /** Adds chunks to a job's output, all or none; returns how many superseded bytes were removed. */
  append(job: number, chunks: Chunk[], superseded?: Superseded): number
  /** The chunks that are kept, in order; read step by step, so that readers hold little while they wait. */
  read(job: number, afterSeq?: number): Generator<Chunk>
  /** The next chunks after one, of one stream or of both: a step's worth; none when there are no more yet. */
  readSome(job: number, afterSeq: number, stream?: OutputStream): Chunk[]
  /** The kept bytes, of one stream or of both, in pieces, the newest first. */
  readBackwards(job: number, stream?: OutputStream): Generator<Uint8Array>
  /** How many bytes are kept, of one stream or of both. */
  size(job: number, stream?: OutputStream): number
  /** The pieces that hold the bytes from offset `start` up to `end` of what is kept, without those bytes. */
  locateRange(job: number, start: number, end: number, stream?: OutputStream): LocatedPiece[]
  /** The bytes of a piece that was located for the same stream; undefined when not all of it is kept. */
  bytesOf(job: number, piece: LocatedPiece, stream?: OutputStream): Uint8Array | undefined
  /** Of the last chunk; 0 when there is none. */
  lastSeq(job: number): number
  /** Where a chunk ends in all that the job wrote; undefined when it is not kept. */
  endOf(job: number, seq: number): number | undefined
  /** What the stored chunks tell of a job whose agent was lost. */
  totals(job: number): OutputTotals
  /** What a job's output costs in the store, with all that is stored besides its bytes; in bytes, estimated. */
  storedBytes(job: number): number
}
