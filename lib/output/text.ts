import type { OutputStream } from '../process/types.ts'
import type { Chunk } from '../store/output-store.ts'

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
  const [only] = all
  if (all.length === 1 && only && only.streamPosition === 0) {
    const text = decoderOf(encoding).decode(only.bytes)
    return only.stream === 'stdout' ? { stdout: text, stderr: '' } : { stdout: '', stderr: text }
  }
  const textOf = (stream: OutputStream): string => [...decodeStream(all, stream, encoding)].join('')
  return { stdout: textOf('stdout'), stderr: textOf('stderr') }
}

/** The same for one stream, piece by piece. */
export function* decodeStream(
  chunks: Iterable<Chunk>,
  stream: OutputStream,
  encoding: string,
): Generator<string> {
  const decoder = encoding === 'utf-8' ? streamingDecoder(encoding) : wholeDecoder(encoding)
  let next = 0
  for (const { stream: of, streamPosition, bytes } of chunks) {
    if (of !== stream) continue
    // Where bytes were dropped, the two ends must not be read as one character.
    if (streamPosition !== next) yield decoder.end()
    yield decoder.add(bytes)
    next = streamPosition + bytes.length
  }
  yield decoder.end()
}

/** To be used for what is whole; as most encodings are the same, and making one costs more than a short text. */
const decoderOf = (encoding: string): TextDecoder => {
  if (latestDecoder.encoding !== encoding) latestDecoder = new TextDecoder(encoding, { ignoreBOM: true })
  return latestDecoder
}

let latestDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The text of a chunk, if it is valid in its encoding all by itself. */
export const decodeAlone = (bytes: Uint8Array, encoding: string): string | undefined => {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const streamingDecoder = (encoding: string) => {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true })
  return {
    add: (bytes: Uint8Array): string => decoder.decode(bytes, { stream: true }),
    end: (): string => decoder.decode(),
  }
}

/** Node's decoder of gbk, gb18030 and euc-jp throws on bad bytes when it is fed piece by piece. */
const wholeDecoder = (encoding: string) => {
  let parts: Uint8Array[] = []
  return {
    add(bytes: Uint8Array): string {
      parts.push(bytes)
      return ''
    },
    end(): string {
      const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(Buffer.concat(parts))
      parts = []
      return text
    },
  }
}
