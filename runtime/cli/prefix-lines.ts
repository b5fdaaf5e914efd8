import type { Sink } from './sink.ts'

/**
 * Writes whole lines, each behind a prefix, so that those of several writers do not run into each other. A line that
 * is very long comes in parts.
 */
export const prefixLines = (sink: Pick<Sink, 'write'>, prefix: string) => {
  const head = Buffer.from(prefix)
  let rest: Uint8Array[] = []
  let restBytes = 0

  const write = async (bytes: Uint8Array): Promise<void> => {
    const lines: Uint8Array[] = []
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      lines.push(head, ...rest, bytes.subarray(start, end + 1))
      rest = []
      restBytes = 0
      start = end + 1
    }
    if (start < bytes.length) {
      rest.push(Uint8Array.from(bytes.subarray(start))) // A copy: whoever owns the bytes may use them again.
      restBytes += bytes.length - start
    }
    if (lines.length > 0) await sink.write(Buffer.concat(lines))
    if (restBytes > LONGEST_LINE_BYTES) await flush()
  }

  const flush = async (): Promise<void> => {
    if (restBytes === 0) return
    const line = Buffer.concat([head, ...rest, Buffer.of(NEWLINE)])
    rest = []
    restBytes = 0
    await sink.write(line)
  }

  return {
    write,
    /** The last line may have no end. */
    flush,
  }
}

const NEWLINE = 10
const LONGEST_LINE_BYTES = 64 * 1024
