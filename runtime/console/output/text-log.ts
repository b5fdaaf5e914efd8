import { lastAtMost } from './column.ts'

/**
 * A long text that is written at its end. The last part of it is open: it grows, and can be thrown away, without the
 * rest being touched.
 */
export const createTextLog = () => {
  const blocks: string[] = []
  const starts: number[] = []
  const startColumn = { at: (index: number) => starts[index]!, length: 0 }
  let tailStart = 0
  let tail = ''
  let open = ''

  /** Of the blocks alone. */
  const sliceBlocks = (start: number, end: number): string => {
    let text = ''
    startColumn.length = starts.length
    for (let index = lastAtMost(startColumn, start); index < blocks.length && starts[index]! < end; index++) {
      text += blocks[index]!.slice(Math.max(0, start - starts[index]!), end - starts[index]!)
    }
    return text
  }

  return {
    get length() {
      return tailStart + tail.length + open.length
    },
    /** Where the open part begins. */
    get openStart() {
      return tailStart + tail.length
    },
    write(text: string): void {
      open += text
    },
    /** The open part and `text` are there to stay. */
    settle(text: string): void {
      tail += open + text
      open = ''
      if (tail.length < BLOCK_LENGTH) return
      blocks.push(tail)
      starts.push(tailStart)
      tailStart += tail.length
      tail = ''
    },
    discard(): void {
      open = ''
    },
    slice(start: number, end: number): string {
      const openStart = tailStart + tail.length
      let text = start < tailStart ? sliceBlocks(start, end) : ''
      if (end > tailStart && start < openStart)
        text += tail.slice(Math.max(0, start - tailStart), end - tailStart)
      if (end > openStart) text += open.slice(Math.max(0, start - openStart), end - openStart)
      return text
    },
  }
}

export type TextLog = ReturnType<typeof createTextLog>

/** Characters. Many small writes make one block, which V8 joins when it is read. */
const BLOCK_LENGTH = 1 << 16
