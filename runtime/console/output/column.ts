/** Numbers one after the other, in typed arrays: an object for each of a million rows would be too much. */
export interface Column {
  readonly length: number
  /** NaN for an index that is not there. */
  at(index: number): number
  push(value: number): void
  pop(): void
}

type Kind = Uint8ArrayConstructor | Int16ArrayConstructor | Uint32ArrayConstructor | Float64ArrayConstructor

/** Grows by blocks, so that nothing is ever copied. */
export const createColumn = (Kind: Kind): Column => {
  const blocks: InstanceType<Kind>[] = []
  let length = 0
  return {
    get length() {
      return length
    },
    at: index => (index < length ? (blocks[index >>> BLOCK_BITS]?.[index & BLOCK_MASK] ?? NaN) : NaN),
    push(value) {
      const block = length >>> BLOCK_BITS
      blocks[block] ??= new Kind(1 << BLOCK_BITS)
      blocks[block]![length & BLOCK_MASK] = value
      length++
    },
    pop() {
      if (length > 0) length--
    },
  }
}

/** The index of the last value that is at most `limit`, of values that never fall; -1 when there is none. */
export const lastAtMost = (column: Pick<Column, 'at' | 'length'>, limit: number): number => {
  let low = 0
  let high = column.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (column.at(middle) <= limit) low = middle + 1
    else high = middle
  }
  return low - 1
}

const BLOCK_BITS = 14
const BLOCK_MASK = (1 << BLOCK_BITS) - 1
