/** MD5 (RFC 1321) in lower-case hex: the contract's signature is made of it, and browsers have none. */
export const md5 = (text: string): string => {
  const bytes = new TextEncoder().encode(text)
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  const words = padded(bytes)
  for (let at = 0; at < words.length; at += 16) addBlock(state, words.subarray(at, at + 16))
  return hex(new Uint8Array(Uint32Array.from(state).buffer))
}

/** A one, zeros, and the length in bits: whole blocks of 64 bytes, as words whose first byte is the lowest. */
const padded = (bytes: Uint8Array): Uint32Array => {
  const blocks = Math.ceil((bytes.length + 9) / 64)
  const view = new DataView(new ArrayBuffer(blocks * 64))
  bytes.forEach((byte, index) => {
    view.setUint8(index, byte)
  })
  view.setUint8(bytes.length, 0x80)
  view.setUint32(blocks * 64 - 8, bytes.length * 8, true)
  return Uint32Array.from({ length: blocks * 16 }, (_, index) => view.getUint32(index * 4, true))
}

const addBlock = (state: number[], block: Uint32Array): void => {
  let [a, b, c, d] = state as [number, number, number, number]
  for (let step = 0; step < 64; step++) {
    const round = step >> 4
    const [mixed, word] = mix(round, step, b, c, d)
    const sum = (a + mixed + SINES[step]! + block[word]!) | 0
    const shift = SHIFTS[round]![step & 3]!
    ;[a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0]
  }
  for (const [index, value] of [a, b, c, d].entries()) state[index] = (state[index]! + value) >>> 0
}

/** The function of a round, and the word of the block that it takes. */
const mix = (round: number, step: number, b: number, c: number, d: number): [number, number] => {
  if (round === 0) return [(b & c) | (~b & d), step]
  if (round === 1) return [(b & d) | (c & ~d), (5 * step + 1) & 15]
  if (round === 2) return [b ^ c ^ d, (3 * step + 5) & 15]
  return [c ^ (b | ~d), (7 * step) & 15]
}

const SINES = Uint32Array.from({ length: 64 }, (_, index) => Math.abs(Math.sin(index + 1)) * 2 ** 32)
const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
]

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
