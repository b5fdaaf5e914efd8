import { lastAtMost } from './column.ts'
import type { Output, StreamName } from './output.ts'
import { rowOf, type Shown } from './shown-rows.ts'
import { createStreamSearch } from './stream-search.ts'

/** A place in the output: of a hit, or of a row (with position -1, before all hits in it). */
export interface Place {
  /** Among all rows. */
  row: number
  /** In the text of the row's stream. */
  position: number
}

export interface Hit extends Place {
  stream: StreamName
}

/** The hits of a text in what a job has written, in the order of the rows. `query` has at least one character. */
export const createSearch = (output: Output, query: string) => {
  const streams = {
    stdout: createStreamSearch(output.rows.stdout, query),
    stderr: createStreamSearch(output.rows.stderr, query),
  }

  const hitAt = (stream: StreamName, index: number): Hit | undefined => {
    const { hits } = streams[stream]
    if (index < 0 || index >= hits.length) return undefined
    const position = hits.at(index)
    const row = rowOf(output, stream, lastAtMost(output.rows[stream].starts, position))
    return { stream, row, position }
  }

  /** How many hits of a stream are at this place or before it. */
  const countUpTo = (stream: StreamName, place: Place): number => {
    let low = 0
    let high = streams[stream].hits.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(hitAt(stream, middle)!, place) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  const first = (hits: (Hit | undefined)[]): Hit | undefined =>
    hits.filter(hit => hit !== undefined).sort(compare)[0]
  const last = (hits: (Hit | undefined)[]): Hit | undefined =>
    hits.filter(hit => hit !== undefined).sort((a, b) => compare(b, a))[0]

  return {
    query,
    /** Looks at a little more; false when there is nothing left for now. */
    step(): boolean {
      const isMoreInStdout = streams.stdout.step()
      return streams.stderr.step() || isMoreInStdout
    },
    count: (shown: Shown): number => namesOf(shown).reduce((sum, name) => sum + streams[name].hits.length, 0),
    /** The number of a hit, from 1. */
    ordinal: (shown: Shown, hit: Hit): number =>
      namesOf(shown).reduce((sum, name) => sum + countUpTo(name, hit), 0),
    /** The first hit behind a place; behind the last one, the first of all. */
    next(shown: Shown, place: Place): Hit | undefined {
      const names = namesOf(shown)
      const behind = first(names.map(name => hitAt(name, countUpTo(name, place))))
      return behind ?? first(names.map(name => hitAt(name, 0)))
    },
    /** The last hit before a place; before the first one, the last of all. */
    previous(shown: Shown, place: Place): Hit | undefined {
      const names = namesOf(shown)
      const just = { ...place, position: place.position - 1 }
      const before = last(names.map(name => hitAt(name, countUpTo(name, just) - 1)))
      return before ?? last(names.map(name => hitAt(name, streams[name].hits.length - 1)))
    },
    /** Where hits begin in a part of a stream's text. */
    hitsBetween(stream: StreamName, start: number, end: number): number[] {
      const { hits } = streams[stream]
      const positions: number[] = []
      for (
        let index = lastAtMost(hits, start - 1) + 1;
        index < hits.length && hits.at(index) < end;
        index++
      ) {
        positions.push(hits.at(index))
      }
      return positions
    },
  }
}

export type Search = ReturnType<typeof createSearch>

const compare = (a: Place, b: Place): number => a.row - b.row || a.position - b.position

const namesOf = (shown: Shown): StreamName[] => (shown === 'both' ? ['stdout', 'stderr'] : [shown])
