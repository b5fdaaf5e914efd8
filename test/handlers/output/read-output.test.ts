import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OutputRemovedError } from '../../../lib/output/view.ts'
import { isPending, settled, withDeadline } from '../deadline.ts'
import { createFakeOutput, type FakeOutput, type FakeOutputOptions, SOURCE_ERROR } from '../fake-output.ts'
import { assertBadRequest, createFake, failed, ID, signed } from '../fake-services.ts'

const PATHS = { stdout: 'stdout', stderr: 'stderr', output: undefined } as const
type Name = keyof typeof PATHS
const NAMES = Object.keys(PATHS) as Name[]

const pathOf = (name: Name, query = '') => `/api/jobs/${ID}/${name}${query}`

/** Every byte that there is, ends of lines and broken UTF-8 included, over both streams. */
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, index) => index)
const createMixed = (options: FakeOutputOptions = {}): FakeOutput =>
  createFakeOutput(options)
    .append('stdout', 'first\n')
    .append('stderr', Buffer.from('警告', 'utf8').subarray(0, 4))
    .append('stdout', ALL_BYTES)
    .append('stderr', Buffer.from('警告\n', 'utf8').subarray(4))
    .append('stdout', 'last')

const open = (output: FakeOutput, path: string, init: RequestInit = {}): Promise<Response> =>
  createFake({ jobs: { open: output.open } }).open(signed(path, init))
const bytesOf = async (response: Response): Promise<Buffer> =>
  Buffer.from(await withDeadline(response.arrayBuffer(), 'the body'))
const range = (text: string, headers: Record<string, string> = {}) => ({
  headers: { Range: text, ...headers },
})

for (const name of NAMES) {
  test(`${name} of a job that has ended is what it wrote, byte by byte, with its length`, async () => {
    const output = createMixed().end()
    const response = await open(output, pathOf(name))
    assert.equal(response.status, 200)
    const expected = output.of(PATHS[name])
    assert.equal(response.headers.get('content-length'), String(expected.length))
    assert.equal(response.headers.get('content-type'), 'application/octet-stream')
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(response.headers.get('accept-ranges'), 'bytes')
    assert.equal(response.headers.get('content-range'), null)
    assert.equal(response.headers.get('x-job-id'), ID)
    assert.deepEqual(await bytesOf(response), expected)
    assert.deepEqual([output.opened, output.released], [1, 1])
    assert.deepEqual([output.jobsOpened, output.jobsClosed], [1, 1])
  })

  test(`${name} of a running job is what is there, without a length and whatever the range`, async () => {
    for (const init of [{}, range('bytes=2-3'), range('bytes=9999-'), range('bytes=-1')]) {
      const output = createMixed()
      const response = await open(output, pathOf(name), init)
      assert.equal(response.status, 200)
      for (const header of ['content-length', 'content-range', 'accept-ranges']) {
        assert.equal(response.headers.get(header), null, header)
      }
      const expected = output.of(PATHS[name])
      output.append('stdout', 'later').append('stderr', 'later')
      assert.deepEqual(await bytesOf(response), expected)
    }
  })

  test(`a range of ${name} is those bytes of it, and says which`, async () => {
    const output = createMixed().end()
    const expected = output.of(PATHS[name])
    const size = expected.length
    for (const [header, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=3-', 3, size],
      [`bytes=2-${size + 5}`, 2, size],
      ['bytes=-4', size - 4, size],
      [`bytes=-${size + 1}`, 0, size],
      [`bytes=${size - 1}-`, size - 1, size],
    ] as const) {
      const response = await open(output, pathOf(name), range(header))
      assert.equal(response.status, 206, header)
      assert.equal(response.headers.get('content-range'), `bytes ${start}-${end - 1}/${size}`)
      assert.equal(response.headers.get('content-length'), String(end - start))
      assert.deepEqual(await bytesOf(response), expected.subarray(start, end))
    }
  })

  test(`the tail of ${name} is its last lines, running or not`, async () => {
    for (const [text, lines, tail] of [
      ['a\nb\nc\n', 1, 'c\n'],
      ['a\nb\nc\n', 2, 'b\nc\n'],
      ['a\nb\nc', 2, 'b\nc'],
      ['a\nb\nc', 3, 'a\nb\nc'],
      ['a\nb\nc', 100, 'a\nb\nc'],
      ['\n\n', 1, '\n'],
      ['', 5, ''],
    ] as const) {
      for (const isRunning of [true, false]) {
        const output = createFakeOutput()
        const stream = PATHS[name] ?? 'stderr'
        if (text !== '') for (const character of text) output.append(stream, character)
        if (name !== 'output') output.append(stream === 'stdout' ? 'stderr' : 'stdout', 'not\nof\nit')
        if (!isRunning) output.end()
        const response = await open(output, pathOf(name, `?tail=${lines}`))
        assert.equal(response.status, 200)
        assert.equal(response.headers.get('content-length'), isRunning ? null : String(tail.length))
        assert.equal((await bytesOf(response)).toString(), tail)
      }
    }
  })

  test(`${name} of an unknown job is 404, also when it is followed`, async () => {
    for (const query of ['', '?follow=true', '?tail=3']) {
      const fake = createFake({ jobs: { open: () => undefined } })
      const { status, body } = await fake.ask(signed(`/api/jobs/nope/${name}${query}`))
      assert.deepEqual({ status, body }, { status: 404, body: failed(404, '任务不存在') })
      assert.deepEqual(fake.calls, [['open', 'nope']])
    }
  })
}

test('a range that cannot be satisfied is 416 and says how much there is', async () => {
  for (const [header, size] of [
    ['bytes=6-', 6],
    ['bytes=6-9', 6],
    ['bytes=-0', 6],
    ['bytes=0-0', 0],
  ] as const) {
    const output = createFakeOutput()
    if (size > 0) output.append('stdout', 'x'.repeat(size))
    const fake = createFake({ jobs: { open: output.end().open } })
    const { status, body, headers } = await fake.ask(signed(pathOf('stdout'), range(header)))
    assert.deepEqual({ status, body }, { status: 416, body: failed(416, '请求的范围不存在') })
    assert.equal(headers.get('content-range'), `bytes */${size}`)
    assert.deepEqual([output.opened, fake.reported], [0, []])
  }
})

test('several ranges and a malformed one are passed over: all is given', async () => {
  for (const header of ['bytes=0-1,3-4', 'bytes=4-2', 'bytes=x-', 'lines=1-2', 'bytes=']) {
    const output = createMixed().end()
    const response = await open(output, pathOf('output'), range(header))
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-range'), null)
    assert.deepEqual(await bytesOf(response), output.bytes)
  }
})

test('with If-Range all is given, since nothing names a version', async () => {
  for (const validator of ['"etag"', 'Wed, 21 Oct 2015 07:28:00 GMT', '']) {
    for (const header of ['bytes=1-2', 'bytes=99999-']) {
      const output = createMixed().end()
      const response = await open(output, pathOf('output'), range(header, { 'If-Range': validator }))
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('content-length'), String(output.bytes.length))
      assert.deepEqual(await bytesOf(response), output.bytes)
    }
  }
})

test('an empty output is empty and says so', async () => {
  const response = await open(createFakeOutput().end(), pathOf('output'))
  assert.deepEqual([response.status, response.headers.get('content-length')], [200, '0'])
  assert.equal((await bytesOf(response)).length, 0)
})

test('any bytes in any chunks are read back as they were written, whole and by any range', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 20 })), { maxLength: 10 }),
      fc.constantFrom(...NAMES),
      fc.nat(100),
      fc.nat(100),
      async (pieces, name, first, length) => {
        const output = createFakeOutput()
        for (const [isError, bytes] of pieces) output.append(isError ? 'stderr' : 'stdout', bytes)
        output.end()
        const expected = output.of(PATHS[name])
        assert.deepEqual(await bytesOf(await open(output, pathOf(name))), expected)
        const part = await open(output, pathOf(name), range(`bytes=${first}-${first + length}`))
        assert.equal(part.status, first < expected.length ? 206 : 416)
        if (part.status === 206)
          assert.deepEqual(await bytesOf(part), expected.subarray(first, first + length + 1))
        assert.deepEqual(await bytesOf(await open(output, pathOf(name, '?follow=true'))), expected)
        assert.equal(output.opened, output.released)
      },
    ),
    { numRuns: 60 },
  ))

test('a follower waits for the first byte, is given each as it comes, and is told of the end', async () => {
  const output = createFakeOutput()
  const response = await withDeadline(open(output, pathOf('stdout', '?follow=true')), 'the headers')
  assert.equal(response.status, 200)
  for (const header of ['content-length', 'accept-ranges']) assert.equal(response.headers.get(header), null)
  const reader = response.body!.getReader()
  for (const text of ['a', 'bc\n', 'd']) {
    const next = reader.read()
    assert.equal(await isPending(next), true)
    output.append('stderr', 'unseen')
    assert.equal(await isPending(next), true)
    output.append('stdout', text)
    assert.deepEqual(textOf(await withDeadline(next, text)), text)
  }
  const last = reader.read()
  assert.equal(await isPending(last), true)
  output.end()
  assert.equal((await withDeadline(last, 'the end')).done, true)
  assert.deepEqual([output.opened, output.released], [1, 1])
})

test('a follower of both streams is given them in the order of the job', async () => {
  const output = createMixed({ turn: 3 })
  const response = await open(output, pathOf('output', '?follow=true'))
  output.append('stderr', 'x').append('stdout', 'y').end()
  assert.deepEqual(await bytesOf(response), output.bytes)
})

test('a follower of a job that has ended is given all, and no range', async () => {
  const output = createMixed().end()
  const response = await open(output, pathOf('output', '?follow=true'), range('bytes=1-2'))
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-range'), null)
  assert.deepEqual(await bytesOf(response), output.bytes)
})

test('tail with follow begins with the last lines and goes on', async () => {
  for (const name of NAMES) {
    const stream = PATHS[name] ?? 'stdout'
    const output = createFakeOutput({ turn: 2 })
    for (const text of ['a\nb', '\nc', '\n']) output.append(stream, text)
    if (name !== 'output') output.append(stream === 'stdout' ? 'stderr' : 'stdout', 'other\n')
    const response = await open(output, pathOf(name, '?tail=2&follow=true'))
    output.append(stream, 'd\n').append(stream, 'e').end()
    assert.equal((await bytesOf(response)).toString(), 'b\nc\nd\ne')
  }
})

test('follow=false is as without it', async () => {
  const output = createMixed().end()
  const response = await open(output, pathOf('output', '?follow=false'), range('bytes=1-2'))
  assert.equal(response.status, 206)
  assert.equal((await bytesOf(response)).length, 2)
})

test('a follower that goes away is let go of, before the first byte and after it', async () => {
  for (const written of [0, 1]) {
    const output = createFakeOutput()
    if (written > 0) output.append('stdout', 'x')
    const gone = new AbortController()
    const response = await open(output, pathOf('stdout', '?follow=true'), { signal: gone.signal })
    const reader = response.body!.getReader()
    if (written > 0) assert.equal(textOf(await reader.read()), 'x')
    const next = reader.read()
    assert.equal(await isPending(next), true)
    assert.deepEqual([output.opened, output.released], [1, 0])
    gone.abort()
    assert.equal((await withDeadline(next, 'the end of the body')).done, true)
    assert.deepEqual([output.opened, output.released], [1, 1])
    assert.deepEqual([output.jobsOpened, output.jobsClosed], [1, 1])
  }
})

test('a reader that cancels the body releases what it read from', async () => {
  for (const query of ['', '?follow=true', '?tail=99']) {
    for (const isRunning of [true, false]) {
      const output = createMixed()
      if (!isRunning) output.end()
      const reader = (await open(output, pathOf('output', query))).body!.getReader()
      assert.equal(textOf(await reader.read()), 'first\n')
      await withDeadline(reader.cancel(), `cancel of ${query}`)
      assert.deepEqual([output.opened, output.released], [1, 1])
      assert.deepEqual([output.jobsOpened, output.jobsClosed], [1, 1])
    }
  }
})

test('nothing is taken from the source before the reader asks, nor more than it asks for', async () => {
  for (const query of ['', '?follow=true', '?tail=999']) {
    for (const isRunning of [true, false]) {
      const output = createFakeOutput()
      for (let count = 0; count < 100; count++) output.append('stdout', `${count}\n`)
      if (!isRunning) output.end()
      const response = await open(output, pathOf('stdout', query))
      await settled()
      assert.ok(output.taken <= 1, `${output.taken} taken unasked`)
      const reader = response.body!.getReader()
      for (let count = 0; count < 10; count++) assert.equal(textOf(await reader.read()), `${count}\n`)
      await settled()
      assert.ok(output.taken <= 11, `${output.taken} taken for 10`)
      await reader.cancel()
    }
  }
})

test('an output that is removed while it is read breaks the answer, rather than ending it', async () => {
  for (const [query, init] of [
    ['', {}],
    ['', range('bytes=1-300')],
    ['?tail=99', {}],
    ['?follow=true', {}],
  ] as const) {
    const output = createMixed({ failAfter: 2 }).end()
    const response = await open(output, pathOf('output', query), init)
    const reader = response.body!.getReader()
    for (let count = 0; count < 2; count++) assert.equal((await reader.read()).done, false)
    await assert.rejects(withDeadline(reader.read(), 'the error'), SOURCE_ERROR)
    assert.deepEqual([output.opened, output.released], [1, 1])
    assert.deepEqual([output.jobsOpened, output.jobsClosed], [1, 1])
  }
})

test('what a running job supersedes while it is read is just not there', async () => {
  const output = createMixed({ failAfter: 2, failure: new OutputRemovedError() })
  const body = await bytesOf(await open(output, pathOf('output')))
  assert.deepEqual(body, output.bytes.subarray(0, body.length))
  assert.equal(output.released, 1)
})

test('any other error breaks the answer of a running job too', async () => {
  await assert.rejects(bytesOf(await open(createMixed({ failAfter: 2 }), pathOf('output'))), SOURCE_ERROR)
})

test('tail with follow loses nothing when what came before it is superseded meanwhile', async () => {
  const output = createFakeOutput()
  for (const line of [1, 2, 3, 4]) output.append('stdout', `${line}\n`)
  const response = await open(output, pathOf('stdout', '?tail=1&follow=true'))
  output.supersede(2, 3).append('stdout', '5\n').append('stdout', '6\n').end()
  assert.equal((await bytesOf(response)).toString(), '4\n5\n6\n')
})

test('a HEAD ignores a range', async () => {
  const output = createFakeOutput().append('stdout', '123456').end()
  for (const asked of ['bytes=0-1', 'bytes=99-']) {
    const response = await open(output, pathOf('stdout'), { method: 'HEAD', headers: { Range: asked } })
    assert.deepEqual([response.status, response.headers.get('content-length')], [200, '6'])
  }
})

test('a tail that is no number of lines is refused before anything is looked up', async () => {
  for (const tail of ['0', '-1', '01', '1.5', '1e3', 'x', '', ' 1', '+1', '9999999999', 'Infinity']) {
    for (const name of NAMES) {
      const request = signed(pathOf(name, `?tail=${encodeURIComponent(tail)}`))
      await assertBadRequest(request, 'tail 应为大于 0 的行数')
    }
  }
})

test('any other follow is refused, and so is a repeated parameter', async () => {
  for (const follow of ['', '1', 'yes', 'True', 'true ']) {
    const request = signed(pathOf('stdout', `?follow=${encodeURIComponent(follow)}`))
    await assertBadRequest(request, 'follow 应为 true 或 false')
  }
  await assertBadRequest(signed(pathOf('stdout', '?follow=true&follow=true')), 'follow 重复')
  await assertBadRequest(signed(pathOf('stdout', '?tail=1&tail=1')), 'tail 重复')
})

const textOf = ({ value }: { value?: Uint8Array | undefined }): string => Buffer.from(value ?? []).toString()
