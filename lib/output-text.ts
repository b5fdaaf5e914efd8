import type { Chunk } from './output-store.ts'

/** The name of an encoding as the Encoding Standard has it ("gbk" for "GB2312"); undefined for an unknown one. */
export const canonicalEncoding = (label: string): string | undefined => {
  try {
    return new TextDecoder(label).encoding
  } catch {
    return undefined
  }
}

/** Decodes chunks in order, across their borders; what is not valid becomes U+FFFD. */
export const decodeOutput = (
  chunks: Iterable<Chunk>,
  encoding = 'utf-8',
): { stdout: string; stderr: string } => {
  const streams = { stdout: createDecoder(encoding), stderr: createDecoder(encoding) }
  for (const { stream, streamPosition, bytes } of chunks) streams[stream].add(streamPosition, bytes)
  return { stdout: streams.stdout.end(), stderr: streams.stderr.end() }
}

/** The text of a chunk, if it is valid in its encoding all by itself. */
export const decodeAlone = (bytes: Uint8Array, encoding: string): string | undefined => {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const createDecoder = (encoding: string) => {
  let text = ''
  let parts: Uint8Array[] = []
  let next = 0
  // In one piece: Node's decoder of gbk, gb18030 and euc-jp throws on bad bytes when it is fed piece by piece.
  const decodeParts = (): void => {
    text += new TextDecoder(encoding, { ignoreBOM: true }).decode(Buffer.concat(parts))
    parts = []
  }
  return {
    add(position: number, bytes: Uint8Array): void {
      // Where bytes were dropped, the two ends must not be read as one character.
      if (position !== next) decodeParts()
      parts.push(bytes)
      next = position + bytes.length
    },
    end(): string {
      decodeParts()
      return text
    },
  }
}
