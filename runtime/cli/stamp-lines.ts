import { printable } from './format.ts'
import type { Sink } from './sink.ts'

/** Writes bytes with the time before each line, which is when the bytes that begin it were read. */
export const stampLines = (sink: Pick<Sink, 'write'>) => {
  let isAtStart = true
  return {
    async write(bytes: Uint8Array, time: string): Promise<void> {
      const stamp = Buffer.from(`${printable(time)} `)
      const parts: Uint8Array[] = []
      for (let start = 0; start < bytes.length; ) {
        if (isAtStart) parts.push(stamp)
        const newline = bytes.indexOf(NEWLINE, start)
        isAtStart = newline >= 0
        const end = isAtStart ? newline + 1 : bytes.length
        parts.push(bytes.subarray(start, end))
        start = end
      }
      await sink.write(Buffer.concat(parts))
    },
  }
}

const NEWLINE = 10
