import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { readJson } from '../../../handlers/http/body.ts'
import type { Credentials } from '../../../lib/security/authenticator.ts'
import { waitFor } from '../../support/wait-for.ts'
import {
  assertBadRequest,
  assertRefused,
  BODY_LIMIT,
  CALLER,
  COMMAND_PATH,
  countedBody,
  createFake,
  post,
  postStream,
  SCRIPT_PATH,
  signed,
  submittedBy,
  unsigned,
} from '../fake-services.ts'

const UNSUPPORTED = '请求的 Content-Type 必须是 application/json（UTF-8）'
const TOO_LARGE = `请求体超过 ${BODY_LIMIT} 字节`
const NO_JSON = '请求体不是合法的 JSON'
const NO_UTF8 = '请求体不是合法的 UTF-8'

/** A command whose body has so many bytes. */
const bodyOf = (length: number): string => {
  const body = JSON.stringify({ cmd: 'x' })
  return JSON.stringify({ cmd: 'x'.repeat(length - body.length + 1) })
}

test('a body of JSON in UTF-8 is taken, however its type is written', async () => {
  const types = ['application/json', 'Application/JSON', 'application/json; charset=utf-8']
  for (const type of [...types, 'application/json;charset="UTF-8"', 'application/json ; charset = utf8']) {
    await submittedBy(post(COMMAND_PATH, { cmd: 'true' }, { 'Content-Type': type }))
  }
})

test('a body of any other type is 415, and is not read', async () => {
  const types = ['', 'text/plain', 'text/json', 'application/x-www-form-urlencoded', 'application/jsonx']
  types.push('multipart/form-data; boundary=x', 'application/json; charset=gbk', 'x application/json')
  for (const type of [...types, 'application/json, text/plain', 'application/json; charset=utf-16']) {
    const body = countedBody([Buffer.from('{"cmd":"true"}')])
    await assertRefused(createFake(), postStream(body.stream, { 'Content-Type': type }), 415, UNSUPPORTED)
    assert.equal(body.pulls, 0)
  }
})

test('a body without a type is 415', async () => {
  const request = post(COMMAND_PATH, { cmd: 'true' })
  request.headers.delete('Content-Type')
  await assertRefused(createFake(), request, 415, UNSUPPORTED)
})

test('a body of exactly the limit is taken, one byte more is 413', async () => {
  const body = bodyOf(BODY_LIMIT)
  assert.equal(Buffer.byteLength(body), BODY_LIMIT)
  await submittedBy(post(COMMAND_PATH, body))
  await assertRefused(createFake(), post(COMMAND_PATH, bodyOf(BODY_LIMIT + 1)), 413, TOO_LARGE)
})

test('the limit counts bytes, not characters', async () => {
  const cmd = '汉'.repeat(BODY_LIMIT / 2)
  await assertRefused(createFake(), post(COMMAND_PATH, { cmd }), 413, TOO_LARGE)
})

test('a Content-Length over the limit is 413 without reading the body', async () => {
  const body = countedBody([Buffer.from('{"cmd":"true"}')])
  const request = postStream(body.stream, { 'Content-Length': String(BODY_LIMIT + 1) })
  await assertRefused(createFake(), request, 413, TOO_LARGE)
  assert.equal(body.pulls, 0)
})

test('a Content-Length of exactly the limit is taken', async () => {
  await submittedBy(post(COMMAND_PATH, bodyOf(BODY_LIMIT), { 'Content-Length': String(BODY_LIMIT) }))
})

test('a long body without a Content-Length is 413 as soon as it passes the limit', async () => {
  // The stream never ends: only an answer that does not wait for the rest comes at all.
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: controller => controller.enqueue(Buffer.alloc(BODY_LIMIT + 1, ' ')),
  })
  await assertRefused(createFake(), postStream(endless), 413, TOO_LARGE)
})

test('what comes after the limit is read and forgotten, so that the connection can be used again', async () => {
  const body = countedBody(Array.from({ length: 10 }, () => Buffer.alloc(400, ' ')))
  await assertRefused(createFake(), postStream(body.stream), 413, TOO_LARGE)
  await waitFor('the body was read to its end', () => body.pulls > 10)
})

test('of a rest without end only a part is read', async () => {
  const mebibyte = Buffer.alloc(1 << 20, ' ')
  const body = countedBody(Array.from({ length: 1000 }, () => mebibyte))
  await assertRefused(createFake(), postStream(body.stream), 413, TOO_LARGE)
  await waitFor('some of the rest was read', () => body.pulls > 60)
  const { pulls } = body
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  assert.ok(body.pulls < 100, `${pulls}, then ${body.pulls}`)
})

test('a client that goes away before the end of its body is 400, and after the limit it is still 413', async () => {
  const cutOffAfter = (length: number) => {
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) =>
      controller.error(new Error('gone'))
    const start = (controller: ReadableStreamDefaultController<Uint8Array>) =>
      controller.enqueue(Buffer.alloc(length, ' '))
    return postStream(new ReadableStream<Uint8Array<ArrayBuffer>>({ start, pull }, { highWaterMark: 0 }))
  }
  await assertRefused(createFake(), cutOffAfter(10), 400, '请求体不完整')
  // What is thrown while the rest is read must not become an unhandled rejection, which fails this test.
  await assertRefused(createFake(), cutOffAfter(BODY_LIMIT + 1), 413, TOO_LARGE)
  await new Promise(setImmediate)
})

test('a Content-Length that lies does not lift the limit', async () => {
  for (const length of ['0', '10', 'abc', '-1', '']) {
    const request = post(COMMAND_PATH, bodyOf(BODY_LIMIT + 1), { 'Content-Length': length })
    await assertRefused(createFake(), request, 413, TOO_LARGE)
  }
})

for (const [name, headers] of [
  ['whose length is told', { 'Content-Length': String(8 << 20) }],
  ['whose length is not told', {}],
] as const) {
  test(`large bodies ${name} are 503 while others take the room, small ones pass, and what was taken is given back`, async () => {
    const fake = createFake({ bodyLimit: 8 << 20 })
    const ends: (() => void)[] = []
    /** More than a small one, and it does not end by itself. */
    const large = () => {
      const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
        controller.enqueue(Buffer.alloc(20_000, ' '))
        ends.push(() => controller.error(new Error('gone')))
      }
      return fake.ask(postStream(new ReadableStream({ start }), headers))
    }
    const answers = Array.from({ length: 4 }, large)
    await assertRefused(
      fake,
      postStream(countedBody([Buffer.alloc(20_000, ' ')]).stream, headers),
      503,
      '正在接收的请求体过多，请稍后再尝试',
    )
    assert.equal((await fake.ask(post(COMMAND_PATH, { cmd: 'x'.repeat(10_000) }))).status, 200)
    for (const end of ends) end()
    for (const answer of answers) assert.equal((await answer).status, 400)
    assert.equal((await fake.ask(post(COMMAND_PATH, { cmd: 'x'.repeat(20_000) }, headers))).status, 200)
  })
}

test('however many large bodies one key sends, the largest of another finds room', async () => {
  const bodyLimit = 40 << 20
  const authenticate = (credentials: Credentials) => {
    assert.ok(credentials.kind === 'token')
    const caller = { ...CALLER, id: credentials.token }
    return { caller, callerNow: () => caller }
  }
  const fake = createFake({ bodyLimit, authenticator: { authenticate } })
  const ends: (() => void)[] = []
  const send = (
    token: string,
    length: number,
    start: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
  ) =>
    fake.ask(
      unsigned(COMMAND_PATH, {
        method: 'POST',
        body: new ReadableStream({ start }),
        duplex: 'half',
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          'Content-Length': `${length}`,
        },
      } as RequestInit),
    )
  const endless = Array.from({ length: 40 }, () =>
    send('alice', bodyLimit / 5, controller => ends.push(() => controller.error(new Error('gone')))),
  )
  const { status } = await send('bob', bodyLimit, controller => {
    controller.enqueue(Buffer.from('{"cmd":"true"}'))
    controller.close()
  })
  assert.equal(status, 200)
  for (const end of ends) end()
  await Promise.all(endless)
})

test('a body may be split anywhere, inside a character too', () =>
  fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(), async (text, cut) => {
      const cmd = `echo ${text}`.replaceAll('\0', '')
      const bytes = Buffer.from(JSON.stringify({ cmd }))
      const at = cut % bytes.length
      const { stream } = countedBody([bytes.subarray(0, at), bytes.subarray(at)])
      assert.equal((await submittedBy(postStream(stream))).cmd, cmd)
    }),
  ))

test('a body that is not JSON, or that is missing, is 400', async () => {
  for (const path of [COMMAND_PATH, SCRIPT_PATH]) {
    for (const body of [
      '',
      ' ',
      '{',
      '{"cmd":"a",}',
      "{'cmd':'a'}",
      'cmd=a',
      '{"cmd":NaN}',
      '{"cmd":"a"} x',
    ]) {
      await assertBadRequest(post(path, body), NO_JSON)
    }
    const headers = { 'Content-Type': 'application/json' }
    await assertBadRequest(signed(path, { method: 'POST', headers }), NO_JSON)
  }
})

test('a body that is JSON but no object is 400', async () => {
  for (const path of [COMMAND_PATH, SCRIPT_PATH]) {
    for (const body of ['null', 'true', '1', '"cmd"', '[]', '[{"cmd":"a"}]']) {
      await assertBadRequest(post(path, body), '应为 object')
    }
  }
})

test('bytes that are not UTF-8 are 400, never replaced', async () => {
  const invalid = [
    [0xff],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe6, 0xb1],
    [0xc4, 0xe3],
  ]
  for (const bytes of invalid) {
    const body = Buffer.concat([Buffer.from('{"cmd":"echo '), Buffer.from(bytes), Buffer.from('"}')])
    await assertBadRequest(post(COMMAND_PATH, body), NO_UTF8)
  }
  await assertBadRequest(post(COMMAND_PATH, Buffer.from('{"cmd":"true"}', 'utf16le').subarray(1)), NO_JSON)
})

test('10,000 levels of nesting are refused, wherever they are', async () => {
  const array = '['.repeat(10_000) + ']'.repeat(10_000)
  const object = `${'{"cmd":'.repeat(10_000)}1${'}'.repeat(10_000)}`
  for (const body of [array, object, `{"cmd":${array}}`, `{"cmd":"a","env":{"A":${array}}}`]) {
    const fake = createFake({ bodyLimit: 1e6 })
    await assertBadRequest(post(COMMAND_PATH, body), 'JSON 嵌套超过 16 层', fake)
  }
})

test('no bytes whatever make anything but a 400', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: BODY_LIMIT }), async bytes => {
      const fake = createFake()
      const { status } = await fake.ask(post(COMMAND_PATH, bytes))
      assert.equal(status, 400)
      assert.deepEqual([fake.calls, fake.reported], [[], []])
    }),
  ))

test('a large body that brings nothing for a while is given up, and with it the room that it has', async () => {
  const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: controller => controller.enqueue(new Uint8Array(10)),
  })
  for (const length of ['100000', null]) {
    const headers = new Headers({ 'Content-Type': 'application/json' })
    if (length !== null) headers.set('Content-Length', length)
    const body =
      length === null
        ? new ReadableStream<Uint8Array<ArrayBuffer>>({
            start: controller => controller.enqueue(new Uint8Array(100_000)),
          })
        : silent
    let [taken, given] = [0, 0]
    const reserve = async () => {
      taken++
      return { [Symbol.dispose]: () => void given++ }
    }
    const rules = { limit: 1_000_000, reserve, silentMs: 10 }
    const request = { headers, body, bytes: () => Promise.reject(new Error('it is not taken whole')) }
    await assert.rejects(readJson(request, z.unknown(), rules), { code: 'request-timeout' })
    assert.deepEqual([taken, given], [1, 1])
  }
})
