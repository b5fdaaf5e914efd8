import { createColumn } from './column.ts'
import type { StreamRows } from './stream-rows.ts'

/** Looks for a text in one stream, a piece at a time. Upper and lower case are the same. */
export const createStreamSearch = ({ log }: StreamRows, query: string) => {
  const pattern = new RegExp(query.replace(SYNTAX, '\\$&'), 'giu')
  const hits = createColumn(Uint32Array)
  let searchedTo = 0
  /** How much of the text was there to stay when it was looked at. */
  let settledTo = 0

  const lastEnd = (): number => (hits.length === 0 ? 0 : hits.at(hits.length - 1) + query.length)

  /** What may have been replaced since is looked at again. */
  const rewind = () => {
    if (searchedTo <= settledTo - query.length) return
    while (lastEnd() > settledTo) hits.pop()
    searchedTo = Math.min(searchedTo, Math.max(lastEnd(), settledTo - query.length + 1))
  }

  return {
    /** Where in the text each hit begins. */
    hits: hits as Pick<typeof hits, 'at' | 'length'>,
    /** False when all that there is has been looked at. */
    step(): boolean {
      rewind()
      const endOfStarts = log.length - query.length + 1
      const end = Math.min(searchedTo + STEP_LENGTH, endOfStarts)
      if (end <= searchedTo) return false
      const start = searchedTo
      const text = log.slice(start, end + query.length - 1)
      for (const match of text.matchAll(pattern)) hits.push(start + match.index)
      searchedTo = Math.max(end, lastEnd())
      settledTo = log.openStart
      return searchedTo < endOfStarts
    },
  }
}

/** What has a meaning in a regular expression. */
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g

/** Characters: a few milliseconds, even when each of them is a hit. */
const STEP_LENGTH = 1 << 14
