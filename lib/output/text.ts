import type { OutputStream } from '../process/types.ts'
import type { Chunk } from '../store/output-store.ts'
import { createByteDecoder } from './byte-decoder.ts'

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
  const all = [...chunks]
  const textOf = (stream: OutputStream): string => {
    const decoder = createStreamDecoder(encoding)
    const texts = all.filter(chunk => chunk.stream === stream).map(decoder.add)
    return texts.join('') + decoder.end()
  }
  return { stdout: textOf('stdout'), stderr: textOf('stderr') }
}

/** Decodes the chunks of one stream as they come. */
export const createStreamDecoder = (encoding: string) => {
  const decoder = createByteDecoder(encoding)
  let next = 0
  return {
    add({ streamPosition, bytes }: Pick<Chunk, 'streamPosition' | 'bytes'>): string {
      // Where bytes were dropped, the two ends must not be read as one character.
      const before = streamPosition === next ? '' : decoder.end()
      next = streamPosition + bytes.length
      return before + decoder.add(bytes)
    },
    end: (): string => decoder.end(),
  }
}

/** The text of a chunk, if it is valid in its encoding all by itself. */
export const decodeAlone = (bytes: Uint8Array, encoding: string): string | undefined => {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
