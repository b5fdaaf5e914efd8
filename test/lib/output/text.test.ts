import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  canonicalEncoding,
  createStreamDecoder,
  decodeAlone,
  decodeOutput,
} from '../../../lib/output/text.ts'
import type { OutputStream } from '../../../lib/process/types.ts'
import type { Chunk } from '../../../lib/store/output-store.ts'

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

/** A character of two bytes and a line end. */
const MULTIBYTE: Partial<Record<string, string>> = {
  gbk: 'd6d00a',
  gb18030: 'd6d09439fc360a',
  big5: 'a4a40a',
  'euc-jp': 'a4a20a',
  'iso-2022-jp': '1b244224221b28420a',
  shift_jis: '83650a',
  'euc-kr': 'b0a10a',
}

/** Characters of one, two, three and four bytes. */
const SAMPLES: [encoding: string, text: string, bytes: Buffer][] = [
  ['utf-8', 'aé中😀\0\n任务', Buffer.from('aé中😀\0\n任务')],
  // 0x81 0x30 … is one of GB18030's characters of four bytes.
  ['gbk', 'a中文测试b任\x80务', Buffer.from('61d6d0cec4b2e2cad462c8ce81308130cef1', 'hex')],
  ['gb18030', 'a中😀b\n', Buffer.from('61d6d09439fc36620a', 'hex')],
  ['big5', 'a中文b', Buffer.from('61a4a4a4e562', 'hex')],
  ['shift_jis', 'aテスト', Buffer.from('61836583588367', 'hex')],
  // One of two bytes, of half width behind 0x8e, and one of three behind 0x8f.
  ['euc-jp', 'aあｱ丂b', Buffer.from('61a4a28eb18fb0a162', 'hex')],
  ['latin1', 'aé\xffb', Buffer.from('61e9ff62', 'hex')],
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

test('no bytes make decoding fail, however they are cut, and they read as in one piece', () => {
  const encodings = [
    'gbk',
    'gb18030',
    'euc-jp',
    'iso-2022-jp',
    'big5',
    'euc-kr',
    'utf-8',
    'utf-16le',
    'latin1',
  ]
  const byte = fc.oneof(
    fc.nat(255),
    fc.constantFrom(0x80, 0x81, 0x8e, 0x8f, 0xa1, 0xfe, 0xff, 0x30, 0x0a, 0x1b),
  )
  const parts = fc.array(fc.array(byte, { maxLength: 4 }), { maxLength: 12 })
  fc.assert(
    fc.property(parts, fc.constantFrom(...encodings), (pieces, encoding) => {
      const given = pieces.map(bytes => Uint8Array.from(bytes))
      const whole = new TextDecoder(encoding, { ignoreBOM: true }).decode(Buffer.concat(given))
      assert.equal(stdout(given, encoding), whole)
    }),
    { numRuns: 20_000 },
  )
})

/** All that the Encoding Standard names, and Node has. */
const ENCODINGS = [
  ...['utf-8', 'ibm866', 'koi8-r', 'koi8-u', 'macintosh', 'x-mac-cyrillic', 'windows-874'],
  ...[2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16].map(part => `iso-8859-${part}`),
  ...Array.from({ length: 9 }, (_, index) => `windows-${1250 + index}`),
  ...['gbk', 'gb18030', 'big5', 'euc-jp', 'iso-2022-jp', 'shift_jis', 'euc-kr', 'utf-16be', 'utf-16le'],
]

for (const encoding of ENCODINGS) {
  test(`a long text of ${encoding} is decoded as it comes, and holds back a few bytes only`, () => {
    const decoder = createStreamDecoder(encoding)
    // Letters and a line end, in UTF-16 of either order too; in the encodings with more bytes a character of two.
    const sample = Buffer.from(MULTIBYTE[encoding] ?? '610062000a00', 'hex')
    const bytes = Buffer.concat(Array.from({ length: 1000 }, () => sample))
    let length = 0
    for (const chunk of chunksOf(Array.from({ length: 10 }, () => ({ stream: 'stdout', bytes })))) {
      const text = decoder.add(chunk)
      assert.ok(text.length > 0.9 * (bytes.length / sample.length))
      length += text.length
    }
    const all = Buffer.concat(Array.from({ length: 10 }, () => bytes))
    const whole = new TextDecoder(encoding, { ignoreBOM: true }).decode(all)
    assert.equal(length + decoder.end().length, whole.length)
  })
}

for (const [encoding, hex] of [
  ['gbk', '81308130'],
  ['euc-jp', 'a18e'],
  ['iso-2022-jp', '1b2442'],
] as const) {
  test(`no bytes of ${encoding} are held back without end`, () => {
    const decoder = createStreamDecoder(encoding)
    const bytes = Buffer.from(hex.repeat(10_000), 'hex')
    const texts = chunksOf(Array.from({ length: 20 }, () => ({ stream: 'stdout', bytes }))).map(decoder.add)
    assert.ok(texts.join('').length > 0)
    assert.ok(decoder.end().length <= 1 << 16)
  })
}

test('a chunk that is valid text all by itself is told from one that is not', () => {
  for (const [encoding, hex, expected] of [
    ['utf-8', '', ''],
    ['utf-8', 'e4b8ad', '中'],
    ['utf-8', 'efbbbf61', '\ufeffa'],
    ['utf-8', 'e4b8', undefined],
    ['utf-8', 'b8ad', undefined],
    ['utf-8', '61ff', undefined],
    ['utf-8', 'eda080', undefined],
    ['gbk', 'd6d0', '中'],
    ['gbk', '61d6', undefined],
    ['gb18030', '9439fc36', '😀'],
    ['gb18030', '9439fc', undefined],
    ['big5', 'a4', undefined],
    ['shift_jis', '83', undefined],
    ['euc-jp', '8fb0', undefined],
    ['utf-16le', '610062', undefined],
    ['latin1', 'e9ff', 'é\xff'],
  ] as const)
    assert.equal(decodeAlone(Buffer.from(hex, 'hex'), encoding), expected, `${encoding} ${hex}`)
})

test('text of a chunk alone is never a guess: in UTF-8 it gives back its bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), bytes => {
      const text = decodeAlone(bytes, 'utf-8')
      if (text !== undefined) assert.deepEqual(new Uint8Array(Buffer.from(text)), bytes)
      else assert.ok(new TextDecoder().decode(bytes).includes('\ufffd'))
    }),
  )
})

test('a byte that the Encoding Standard does not know is U+FFFD, and no text alone', () => {
  for (const [encoding, byte] of [
    ['gbk', 0xff],
    ['shift_jis', 0xa0],
    ['shift_jis', 0xfd],
    ['shift_jis', 0xff],
    ['euc-jp', 0xff],
  ] as const) {
    assert.equal(stdout([Uint8Array.of(0x61, byte)], encoding), 'a\ufffd', `${encoding} ${byte}`)
    assert.equal(decodeAlone(Uint8Array.of(0x61, byte), encoding), undefined, `${encoding} ${byte}`)
  }
})

test('an encoding has the name that the Encoding Standard gives it, an unknown one none', () => {
  for (const [label, name] of [
    ['GB2312', 'gbk'],
    ['GBK', 'gbk'],
    [' utf8 ', 'utf-8'],
    ['gb18030', 'gb18030'],
    ['Big5', 'big5'],
    ['Shift_JIS', 'shift_jis'],
    ['EUC-JP', 'euc-jp'],
    ['latin1', 'windows-1252'],
    ['', undefined],
    ['utf-9', undefined],
    ['constructor', undefined],
  ] as const)
    assert.equal(canonicalEncoding(label), name, label)
})
