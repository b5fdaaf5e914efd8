import type { Chunk } from './output-store.ts'

/** Decodes chunks in order, across their borders; what is not valid becomes U+FFFD. */
export const decodeOutput = (
  chunks: Iterable<Chunk>,
  encoding = 'utf-8',
): { stdout: string; stderr: string } => {
  const streams = { stdout: createDecoder(encoding), stderr: createDecoder(encoding) }
  for (const { stream, streamPosition, bytes } of chunks) streams[stream].add(streamPosition, bytes)
  return { stdout: streams.stdout.end(), stderr: streams.stderr.end() }
}

const createDecoder = (encoding: string) => {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true })
  let text = ''
  let next = 0
  return {
    add(position: number, bytes: Uint8Array): void {
      // Where bytes were dropped, the two ends must not be read as one character.
      if (position !== next) text += decoder.decode()
      text += decoder.decode(bytes, { stream: true })
      next = position + bytes.length
    },
    end: (): string => text + decoder.decode(),
  }
}
