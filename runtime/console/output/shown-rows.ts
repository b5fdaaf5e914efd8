import { LINES, type Output, type StreamName } from './output.ts'
import {
  GAP,
  type KindSet,
  kindSet,
  STDERR,
  STDERR_CONTINUED,
  STDOUT,
  STDOUT_CONTINUED,
} from './row-kinds.ts'

/** Which streams are shown; gaps always are. */
export type Shown = 'both' | StreamName

export type ShownRow =
  | { type: 'gap'; row: number; bytes: number | null }
  | {
      type: StreamName
      row: number
      /** Which row of its stream. */
      index: number
      isContinuation: boolean
      /** Counted over both streams, from 1. */
      line: number
    }

/** The rows of a choice, by their place in it; `row` is the place among all. */
export const createShownRows = (output: Output, shown: Shown) => {
  const { kinds, gaps } = output
  const set = SETS[shown]
  return {
    get length() {
      return kinds.count(set)
    },
    /** The place of the first row shown that is this one or behind it. */
    placeOf: (row: number): number => kinds.countBefore(set, row),
    rowAt: (place: number): number => kinds.find(set, place),
    at(place: number): ShownRow {
      const row = kinds.find(set, place)
      const kind = kinds.at(row)
      if (kind === GAP) {
        const bytes = gaps.at(kinds.countBefore(kindSet(GAP), row))
        return { type: 'gap', row, bytes: Number.isNaN(bytes) ? null : bytes }
      }
      const type = SETS_OF_STREAMS.stdout & (1 << kind) ? 'stdout' : 'stderr'
      return {
        type,
        row,
        index: kinds.countBefore(SETS_OF_STREAMS[type], row),
        isContinuation: kind === STDOUT_CONTINUED || kind === STDERR_CONTINUED,
        line: kinds.countBefore(LINES, row + 1),
      }
    },
  }
}

export type ShownRows = ReturnType<typeof createShownRows>

/** The place among all rows of the row of a stream. */
export const rowOf = ({ kinds }: Output, stream: StreamName, index: number): number =>
  kinds.find(SETS_OF_STREAMS[stream], index)

const SETS_OF_STREAMS: Record<StreamName, KindSet> = {
  stdout: kindSet(STDOUT, STDOUT_CONTINUED),
  stderr: kindSet(STDERR, STDERR_CONTINUED),
}

const SETS: Record<Shown, KindSet> = {
  both: SETS_OF_STREAMS.stdout | SETS_OF_STREAMS.stderr | kindSet(GAP),
  stdout: SETS_OF_STREAMS.stdout | kindSet(GAP),
  stderr: SETS_OF_STREAMS.stderr | kindSet(GAP),
}
