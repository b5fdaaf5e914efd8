import assert from 'node:assert/strict'
import { createApp } from '../../handlers/app.ts'
import type { JobService, Services } from '../../handlers/services.ts'
import type { JobJson } from '../../lib/jobs/job.ts'
import { createSignature } from '../../lib/security/md5-signature.ts'
import { createFakeOutput } from './fake-output.ts'

/** The contract's own example, which is valid at NOW. */
export const SECRET = 'shindata'
export const SIGN = '1375db7c38acd9300ea67b5351956c3b'
export const SIGN_AT = '1671170774'
export const NOW = 1671170774_000
export const TTL_MS = 30 * 60_000
export const CLOCK_SKEW_MS = 5 * 60_000

export const ID = '603883de4a9545b3ab1fe80c40c9de90'
export const REQUEST_ID = 'request-1'
export const BODY_LIMIT = 1000
export const COMMAND_PATH = '/api/jobs/execute/cmd'
export const SCRIPT_PATH = '/api/jobs/execute/script'
export const SCRIPT = { scriptName: 'x.sh', scriptContent: 'echo 1', scriptType: 'shell' }

export interface FakeOptions {
  /** What the job service does instead of the default. */
  jobs?: Partial<JobService>
  signature?: Services['signature']
  bodyLimit?: number
}

/** An app on services that do nothing but record how they were called. */
export const createFake = ({
  jobs = {},
  signature = signatureAt(NOW),
  bodyLimit = BODY_LIMIT,
}: FakeOptions = {}) => {
  const calls: unknown[][] = []
  const reported: unknown[][] = []
  const record =
    <A extends unknown[], R>(name: string, method: (...args: A) => R) =>
    (...args: A): R => {
      calls.push([name, ...args])
      return method(...args)
    }
  const services: Services = {
    jobs: {
      submit: record('submit', jobs.submit ?? (async () => ({ id: ID, rejected: false as const }))),
      get: record('get', jobs.get ?? (async () => jobJson())),
      waitForEnd: record('waitForEnd', jobs.waitForEnd ?? (async () => {})),
      list: record('list', jobs.list ?? (() => [])),
      cancel: record('cancel', jobs.cancel ?? (async () => jobJson({ state: 'canceled' }))),
      signal: record('signal', jobs.signal ?? (async () => jobJson({ state: 'running' }))),
      listProcesses: record('listProcesses', jobs.listProcesses ?? (async () => [])),
      countRunning: record('countRunning', jobs.countRunning ?? (() => 0)),
      openOutput: record('openOutput', jobs.openOutput ?? (() => createFakeOutput().end().view)),
    },
    signature,
    bodyLimit,
    reportError: (...args) => void reported.push(args),
  }
  const app = createApp(services)

  /** The answer with its body unread. */
  const open = (request: Request): Promise<Response> => app(request, { requestId: REQUEST_ID })
  const ask = async (request: Request) => {
    const response = await open(request)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, text, body }
  }
  return { services, calls, reported, open, ask }
}

export type Fake = ReturnType<typeof createFake>

/** The agent's own signature check, at a fixed time in milliseconds. */
export const signatureAt = (now: number, secret = SECRET) =>
  createSignature({ secret, ttlMs: TTL_MS, clockSkewMs: CLOCK_SKEW_MS, now: () => now })

export const unsigned = (path: string, init: RequestInit = {}): Request =>
  new Request(`http://localhost${path}`, init)

/** The same, signed in its headers. */
export const signed = (path: string, init: RequestInit = {}): Request => {
  const request = unsigned(path, init)
  request.headers.set('sign', SIGN)
  request.headers.set('signAt', SIGN_AT)
  return request
}

/** A signed POST; a body that is no text and no bytes is sent as its JSON. */
export const post = (path: string, body: unknown, headers: Record<string, string> = {}): Request =>
  signed(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body:
      typeof body === 'string'
        ? body
        : body instanceof Uint8Array
          ? new Uint8Array(body)
          : JSON.stringify(body),
  })

/** A body that counts how often it was asked for a chunk; it buffers nothing, and ends after `chunks`. */
export const countedBody = (chunks: Iterable<Uint8Array>) => {
  const iterator = chunks[Symbol.iterator]()
  const counted = { pulls: 0, stream: undefined as unknown as ReadableStream<Uint8Array> }
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    counted.pulls += 1
    const next = iterator.next()
    if (next.done) controller.close()
    else controller.enqueue(next.value)
  }
  counted.stream = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 })
  return counted
}

/** A signed POST of a stream. */
export const postStream = (body: ReadableStream, headers: Record<string, string> = {}): Request =>
  signed(COMMAND_PATH, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
    duplex: 'half', // Unknown to the DOM's types, which a dependency brings in.
  } as RequestInit)

export const failed = (code: number, msg: string) => ({ code, success: false, msg, data: null })
export const succeeded = (data: unknown) => ({ code: 0, success: true, msg: '', data })

/** Asserts the whole answer, and that no service was called. */
export const assertRefused = async (fake: Fake, request: Request, code: number, msg: string) => {
  const { status, body, headers } = await fake.ask(request)
  assert.deepEqual({ status, body }, { status: code, body: failed(code, msg) })
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8')
  assert.deepEqual(fake.calls, [])
  assert.deepEqual(fake.reported, [])
}

export const assertBadRequest = (request: Request, detail: string, fake = createFake()) =>
  assertRefused(fake, request, 400, `请求参数无效：${detail}`)

/** What was given to submit() by an accepted body. */
export const submittedBy = async (
  request: Request,
  fake = createFake(),
): Promise<Record<string, unknown>> => {
  const { status, text } = await fake.ask(request)
  assert.equal(status, 200, text)
  assert.equal(fake.calls[0]?.[0], 'submit')
  return fake.calls[0]?.[1] as Record<string, unknown>
}

/** The contract's finished job. */
export const jobJson = (fields: Partial<JobJson> = {}): JobJson => ({
  id: ID,
  cmd: 'for ((i=0;i<2;i++));do echo $i; done;',
  params: '',
  scriptName: '',
  scriptContent: '',
  scriptType: '',
  scriptPath: '',
  async: false,
  pid: 7771,
  state: 'success',
  stdout: '0\n1\n',
  stderr: '',
  exitCode: 0,
  execCmd: 'for ((i=0;i<2;i++));do echo $i; done;',
  error: '',
  createTime: '2022-12-14T14:31:10.748369+08:00',
  startTime: '2022-12-14T14:31:10.748966+08:00',
  finishTime: '2022-12-14T14:31:20.875891+08:00',
  reason: 'exited',
  signal: '',
  stdoutBytes: 4,
  stderrBytes: 0,
  droppedBytes: 0,
  encoding: 'utf-8',
  cpu: { user: 0.01, system: 0.02 },
  leftovers: 0,
  livingLeftovers: 0,
  survivors: [],
  ...fields,
})
