/** Decodes bytes piece by piece; what is not valid becomes U+FFFD. After `end` it begins anew. */
export interface ByteDecoder {
  add(bytes: Uint8Array): string
  end(): string
}

/**
 * Gives the same text as decoding all bytes at once. Most encodings are streamed by TextDecoder; Node's (ICU) throws
 * on bad bytes of four of them when it is fed piece by piece, so these are cut where no character is.
 */
export const createByteDecoder = (encoding: string): ByteDecoder => {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true })
  const endOfWhole = CUT[encoding]
  if (endOfWhole) return cuttingDecoder(decoder, endOfWhole)
  let isMidway = false
  return {
    add(bytes) {
      isMidway = true
      return decoder.decode(bytes, { stream: true })
    },
    end() {
      if (!isMidway) return ''
      isMidway = false
      return decoder.decode()
    },
  }
}

/** `endOfWhole` tells how many of the bytes are surely whole characters. */
const cuttingDecoder = (decoder: TextDecoder, endOfWhole: (bytes: Uint8Array) => number): ByteDecoder => {
  let rest: Uint8Array = new Uint8Array(0)
  return {
    add(bytes) {
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      const end = endOfWhole(all)
      rest = Uint8Array.from(all.subarray(end))
      return end === 0 ? '' : decoder.decode(all.subarray(0, end))
    },
    end() {
      const text = rest.length === 0 ? '' : decoder.decode(rest)
      rest = new Uint8Array(0)
      return text
    },
  }
}

/**
 * The end of the last whole character. `lengthAt` gives the length of the character at an offset, negative for bad
 * bytes: how many U+FFFD these become may depend on what follows, so that the cut is not made behind them, unless
 * more bytes wait than may be held.
 */
const byLengths =
  (lengthAt: (bytes: Uint8Array, at: number) => number) =>
  (bytes: Uint8Array): number => {
    let end = 0
    let at = 0
    while (at < bytes.length) {
      const length = lengthAt(bytes, at)
      if (at + Math.abs(length) > bytes.length) break
      at += Math.abs(length)
      if (length > 0) end = at
    }
    return bytes.length - end > MOST_HELD_BYTES ? at : end
  }

const MOST_HELD_BYTES = 1 << 16

/** Encoding Standard, 10.2.1. A second byte that is a digit announces four; a bad third one ends it there. */
const gbLengthAt = (bytes: Uint8Array, at: number): number => {
  const [first, second, third] = [bytes[at]!, bytes[at + 1], bytes[at + 2]]
  if (first < 0x81 || first === 0xff) return 1
  if (second === undefined || second < 0x30 || second > 0x39) return 2
  return third !== undefined && (third < 0x81 || third === 0xff) ? 3 : 4
}

/** As ICU has it, which knows more characters behind 0x8e than the Encoding Standard. */
const eucJpLengthAt = (bytes: Uint8Array, at: number): number => {
  const [first, second, third] = [bytes[at]!, bytes[at + 1], bytes[at + 2]]
  if (isEucJpBad(first)) return -1
  if (first < 0x8e) return 1
  if (second === undefined) return 2
  if (second < 0xa1 || second === 0xff) return isEucJpBad(second) ? -2 : -1
  if (first === 0x8e) return second < 0xe5 ? 2 : -1
  if (first !== 0x8f) return 2
  if (third === undefined || (third > 0xa0 && third < 0xff)) return 3
  return isEucJpBad(third) ? -3 : -1
}

/** Begins no character. */
const isEucJpBad = (byte: number): boolean =>
  byte === 0xff || (byte > 0x7f && byte < 0x8e) || (byte > 0x8f && byte < 0xa1)

/**
 * Escape sequences change what bytes mean; after the one for ASCII, and without any, each byte is a character. Every
 * line has to end in ASCII (RFC 1468), so what goes on and on without is not worth being held.
 */
const iso2022JpEnd = (bytes: Uint8Array): number => {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const toAscii = all.lastIndexOf(ESCAPE_TO_ASCII)
  const begin = toAscii < 0 ? 0 : toAscii + ESCAPE_TO_ASCII.length
  const isAscii = all.indexOf(0x1b, begin) < 0
  return isAscii || bytes.length - begin > MOST_HELD_BYTES ? bytes.length : begin
}

const ESCAPE_TO_ASCII = Buffer.from('\x1b(B')

const CUT: Partial<Record<string, (bytes: Uint8Array) => number>> = {
  gbk: byLengths(gbLengthAt),
  gb18030: byLengths(gbLengthAt),
  'euc-jp': byLengths(eucJpLengthAt),
  'iso-2022-jp': iso2022JpEnd,
}
