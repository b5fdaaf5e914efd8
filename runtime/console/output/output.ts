import { batch, signal } from '@preact/signals'
import type { JobEvent } from '../../../lib/client/types.ts'
import { createBreather } from './breathe.ts'
import { createColumn } from './column.ts'
import {
  createRowKinds,
  GAP,
  kindSet,
  STDERR,
  STDERR_CONTINUED,
  STDOUT,
  STDOUT_CONTINUED,
} from './row-kinds.ts'
import { createTextScreen } from './screen-text.ts'
import { createStreamRows } from './stream-rows.ts'
import { createTimes } from './times.ts'

export type StreamName = 'stdout' | 'stderr'

type Chunk = Extract<JobEvent, { type: StreamName }>

export interface OutputOptions {
  /** The name of the job's encoding; one that the browser does not know is read as UTF-8. */
  encoding?: string | undefined
}

/** What a job has written, as rows. It is changed by its events alone, in their order. */
export const createOutput = ({ encoding = 'utf-8' }: OutputOptions = {}) => {
  const kinds = createRowKinds()
  const times = createTimes()
  /** How many bytes are missing in each gap; NaN when nobody knows. */
  const gaps = createColumn(Float64Array)
  const streams = {
    stdout: createStream(encoding, isContinuation => kinds.push(isContinuation ? STDOUT_CONTINUED : STDOUT)),
    stderr: createStream(encoding, isContinuation => kinds.push(isContinuation ? STDERR_CONTINUED : STDERR)),
  }
  const lines = signal(0)
  const bytes = signal(0)
  const version = signal(0)
  const hasEnded = signal(false)
  const breathe = createBreather()
  let received = 0
  let fed = Promise.resolve()

  const tell = () =>
    batch(() => {
      lines.value = kinds.count(LINES)
      bytes.value = received
      version.value++
    })

  /** The ends of what was cut apart must not be read as one. */
  const endRows = () => {
    streams.stdout.end()
    streams.stderr.end()
  }

  const addChunk = async ({ type, bytes, time }: Chunk): Promise<void> => {
    const rowsBefore = kinds.length
    for (let start = 0; start < bytes.length; start += STEP_BYTES) {
      const step = bytes.subarray(start, start + STEP_BYTES)
      const rows = kinds.length
      streams[type].add(step)
      if (rows === rowsBefore && kinds.length > rows) times.add(rowsBefore, time)
      received += step.length
      tell()
      await breathe()
    }
  }

  const take = async (event: JobEvent): Promise<void> => {
    switch (event.type) {
      case 'stdout':
      case 'stderr':
        return addChunk(event)
      case 'dropped':
        endRows()
        kinds.push(GAP)
        gaps.push(event.bytes ?? NaN)
        return tell()
      case 'end':
        endRows()
        hasEnded.value = true
        return tell()
      case 'start':
      case 'caught-up':
        return
      default:
        event satisfies never // Of an agent that is newer than this page.
    }
  }

  return {
    lines,
    bytes,
    /** Nothing more comes. */
    hasEnded,
    /** Another number whenever something has changed. */
    version,
    kinds,
    times,
    gaps,
    rows: { stdout: streams.stdout.rows, stderr: streams.stderr.rows },
    /** Awaited before the next event is read, it keeps the page free; events that come faster are kept in order. */
    feed(event: JobEvent): Promise<void> {
      fed = fed.then(() => take(event))
      return fed
    },
  }
}

export type Output = ReturnType<typeof createOutput>

const createStream = (encoding: string, onRow: (isContinuation: boolean) => void) => {
  const decoder = createDecoder(encoding)
  const rows = createStreamRows(onRow)
  const screen = createTextScreen(rows.append)
  return {
    rows,
    add: (bytes: Uint8Array<ArrayBuffer>): void => screen(decoder.decode(bytes, { stream: true })),
    end(): void {
      screen(`${decoder.decode()}${CANCEL}`)
      rows.endRow()
    },
  }
}

const createDecoder = (encoding: string): TextDecoder => {
  try {
    return new TextDecoder(encoding)
  } catch {
    return new TextDecoder()
  }
}

/** Ends an escape sequence that is not complete (ECMA-48, 8.3.7). */
const CANCEL = '\x18'

export const LINES = kindSet(STDOUT, STDERR)

/** So few that even the slowest to read, full of escapes, are done in a few milliseconds. */
const STEP_BYTES = 8 * 1024
