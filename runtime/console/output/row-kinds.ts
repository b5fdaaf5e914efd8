import { createColumn, lastAtMost } from './column.ts'

/** What a row is. A piece of a long line, but for the first, continues it. */
export const STDOUT = 0
export const STDERR = 1
export const STDOUT_CONTINUED = 2
export const STDERR_CONTINUED = 3
export const GAP = 4

/** One bit for each kind. */
export type KindSet = number
export const kindSet = (...kinds: number[]): KindSet => kinds.reduce((set, kind) => set | (1 << kind), 0)

/**
 * The kinds of all rows in their order. It tells fast how many of some kinds stand before a row, and which row is
 * the n-th of them.
 */
export const createRowKinds = () => {
  const kinds = createColumn(Uint8Array)
  const totals = [0, 0, 0, 0, 0]
  /** Of each kind, how many stand before each block. */
  const before = totals.map(() => createColumn(Uint32Array))

  const countBeforeBlock = (set: KindSet, block: number): number =>
    before.reduce((sum, column, kind) => (set & (1 << kind) ? sum + column.at(block) : sum), 0)

  return {
    get length() {
      return kinds.length
    },
    at: (row: number): number => kinds.at(row),
    push(kind: number): void {
      if (kinds.length % BLOCK_ROWS === 0) totals.forEach((total, index) => void before[index]!.push(total))
      kinds.push(kind)
      totals[kind]!++
    },
    count: (set: KindSet): number =>
      totals.reduce((sum, total, kind) => (set & (1 << kind) ? sum + total : sum), 0),
    /** How many of these kinds stand before a row. */
    countBefore(set: KindSet, row: number): number {
      if (row >= kinds.length) return this.count(set)
      const block = Math.floor(row / BLOCK_ROWS)
      let count = countBeforeBlock(set, block)
      for (let at = block * BLOCK_ROWS; at < row; at++) if (set & (1 << kinds.at(at))) count++
      return count
    },
    /** The row that has exactly `index` of these kinds before it and is of one itself; the end if there is none. */
    find(set: KindSet, index: number): number {
      if (index >= this.count(set)) return kinds.length
      const counts = { length: before[0]!.length, at: (block: number) => countBeforeBlock(set, block) }
      const block = lastAtMost(counts, index)
      let left = index - countBeforeBlock(set, block)
      let row = block * BLOCK_ROWS
      while (!(set & (1 << kinds.at(row))) || left-- > 0) row++
      return row
    },
  }
}

export type RowKinds = ReturnType<typeof createRowKinds>

const BLOCK_ROWS = 1024
