import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Chunk } from '../../lib/output-store.ts'
import { decodeOutput } from '../../lib/output-text.ts'
import type { OutputStream } from '../../lib/process/spawn.ts'

interface Piece {
  stream: OutputStream
  bytes: Uint8Array
  /** How many bytes of this stream are missing before it. */
  gap?: number
}

const chunksOf = (pieces: Piece[]): Chunk[] => {
  const written = { stdout: 0, stderr: 0 }
  return pieces.map(({ stream, bytes, gap = 0 }, index) => {
    const streamPosition = written[stream] + gap
    const position = written.stdout + written.stderr + gap
    written[stream] = streamPosition + bytes.length
    return { seq: index + 1, stream, time: 0, position, streamPosition, bytes }
  })
}

const stdout = (parts: Uint8Array[], encoding?: string): string =>
  decodeOutput(chunksOf(parts.map(bytes => ({ stream: 'stdout', bytes }))), encoding).stdout

const cut = (bytes: Uint8Array, at: number): Uint8Array[] => [bytes.subarray(0, at), bytes.subarray(at)]

/** Characters of one, two, three and four bytes. */
const SAMPLES: [encoding: string, text: string, bytes: Buffer][] = [
  ['utf-8', 'aé中😀\0\n任务', Buffer.from('aé中😀\0\n任务')],
  // 0x81 0x30 … is one of GB18030's characters of four bytes.
  ['gbk', 'a中文测试b任\x80务', Buffer.from('61d6d0cec4b2e2cad462c8ce81308130cef1', 'hex')],
  ['shift_jis', 'aテスト', Buffer.from('61836583588367', 'hex')],
]

for (const [encoding, text, bytes] of SAMPLES) {
  test(`a character of ${encoding} may be cut anywhere, even into single bytes`, () => {
    for (let first = 0; first <= bytes.length; first++) {
      assert.equal(stdout(cut(bytes, first), encoding), text)
      for (let second = first; second <= bytes.length; second++) {
        const parts = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
        assert.equal(stdout(parts, encoding), text, `cut at ${first} and ${second}`)
      }
    }
    const single = Array.from(bytes, byte => Uint8Array.of(byte))
    assert.equal(stdout(single, encoding), text)
  })
}

test('UTF-8 is what is read when no encoding is named', () => {
  assert.equal(stdout([Buffer.from('任务')]), '任务')
})

test('any bytes, cut and mixed over two streams in any way, read as each stream would in one piece', () => {
  const piece = fc.record({
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.string({ unit: 'grapheme', maxLength: 4 }).map(text => Uint8Array.from(Buffer.from(text))),
    ),
  })
  const encodings = fc.constantFrom('utf-8', 'latin1', 'big5', 'shift_jis')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), encodings, (pieces, encoding) => {
      const whole = (stream: OutputStream): string => {
        const bytes = Buffer.concat(pieces.filter(one => one.stream === stream).map(one => one.bytes))
        return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes)
      }
      const decoded = decodeOutput(chunksOf(pieces), encoding)
      assert.deepEqual(decoded, { stdout: whole('stdout'), stderr: whole('stderr') })
    }),
    { numRuns: 500 },
  )
})

test('invalid bytes become U+FFFD, and so does a character without its end', () => {
  assert.equal(stdout([Buffer.from([0x61, 0xff, 0x62])]), 'a\ufffdb')
  assert.equal(stdout([Buffer.from([0x61, 0xe4, 0xb8])]), 'a\ufffd')
})

test('a byte order mark is output like any other', () => {
  assert.equal(stdout([Buffer.from('\ufeffa')]), '\ufeffa')
})

test('nothing is joined over bytes that were dropped, wherever a character is cut', () => {
  for (const [encoding, text] of [
    ['utf-8', '😀'],
    ['utf-8', '中'],
    ['gbk', '中'],
  ] as const) {
    const character = encoding === 'gbk' ? Buffer.from('d6d0', 'hex') : Buffer.from(text)
    for (let at = 1; at < character.length; at++) {
      const [start, end] = cut(character, at) as [Uint8Array, Uint8Array]
      const pieces: Piece[] = [
        { stream: 'stdout', bytes: start },
        { stream: 'stdout', bytes: end, gap: 7 },
      ]
      const alone = (bytes: Uint8Array) => new TextDecoder(encoding).decode(bytes)
      const decoded = decodeOutput(chunksOf(pieces), encoding).stdout
      assert.equal(decoded, alone(start) + alone(end))
      assert.ok(!decoded.includes(text))
    }
  }
})

test('what one stream has lost does not disturb the other', () => {
  const [start, end] = cut(Buffer.from('中'), 1) as [Uint8Array, Uint8Array]
  const pieces: Piece[] = [
    { stream: 'stderr', bytes: start },
    { stream: 'stdout', bytes: Buffer.from('a') },
    { stream: 'stdout', bytes: Buffer.from('b'), gap: 3 },
    { stream: 'stderr', bytes: end },
  ]
  assert.deepEqual(decodeOutput(chunksOf(pieces)), { stdout: 'ab', stderr: '中' })
})

test('output of which the beginning is gone reads from what is there', () => {
  assert.deepEqual(decodeOutput(chunksOf([{ stream: 'stdout', bytes: Buffer.from('end'), gap: 100 }])), {
    stdout: 'end',
    stderr: '',
  })
})
