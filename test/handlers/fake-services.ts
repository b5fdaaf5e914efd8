import assert from 'node:assert/strict'
import { createApp } from '../../handlers/app.ts'
import { ERROR_REPLIES } from '../../handlers/http/error-replies.ts'
import type { AgentFacts, AgentStatus, JobService, OpenJob, Services } from '../../handlers/services.ts'
import { createJobChanges } from '../../lib/jobs/changes.ts'
import type { Job, JobRecord, RunningJob } from '../../lib/jobs/job.ts'
import type { History } from '../../lib/metrics/history.ts'
import { NO_USAGE } from '../../lib/process/types.ts'
import type { AuditEntry } from '../../lib/security/audit-line.ts'
import {
  type Authenticator,
  type ClientCertificate,
  createAuthenticator,
} from '../../lib/security/authenticator.ts'
import { type Caller, RIGHTS, type Right } from '../../lib/security/caller.ts'
import { withDefaultKey } from '../../lib/security/keys.ts'
import type { OutputTotals } from '../../lib/store/output-store.ts'
import { checkAnswer } from '../support/check-answer.ts'
import { fakeSupport } from '../support/fake-processes.ts'
import { memoryNonces } from '../support/nonces.ts'
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
export const ADDRESS = '192.0.2.7'
/** Of each request. */
export const AUTHORITY = 'db1.example.com:8080'
export const COMMAND_PATH = '/api/jobs/execute/cmd'
export const SCRIPT_PATH = '/api/jobs/execute/script'
export const SCRIPT = { scriptName: 'x.sh', scriptContent: 'echo 1', scriptType: 'shell' }

export interface FakeOptions {
  /** What the job service does instead of the default. */
  jobs?: Partial<JobService>
  /** Which jobs change instead of none, ever. */
  changes?: Services['changes']
  /** What an opened job does instead of the default. */
  job?: Partial<OpenJob>
  authenticator?: Authenticator
  isPrivate?: boolean
  /** That the client has shown; then it has come by TLS. */
  certificate?: ClientCertificate
  /** What has become of callbacks; nothing when absent. */
  notifications?: Services['notifications']
  status?: Partial<AgentStatus>
  facts?: Partial<AgentFacts>
  /** What the caller may do instead of everything. */
  rights?: Right[]
  bodyLimit?: number
  /** What a browser gets; nothing when absent. */
  console?: Services['console']
}

/** Who a signed request comes from. */
export const CALLER: Caller = {
  id: 'default',
  rights: new Set(RIGHTS),
  bounds: {},
  address: ADDRESS,
}

/** An app on services that do nothing but record how they were called. */
export const createFake = ({
  jobs = {},
  job = {},
  changes = noChanges(),
  authenticator = authenticatorAt(NOW),
  rights,
  isPrivate = false,
  certificate,
  notifications = () => [],
  status = {},
  facts = {},
  bodyLimit = BODY_LIMIT,
  console,
}: FakeOptions = {}) => {
  const calls: unknown[][] = []
  const reported: unknown[][] = []
  const notes: object[] = []
  const audited: AuditEntry[] = []
  const counted: string[] = []
  const record =
    <A extends unknown[], R>(name: string, method: (...args: A) => R) =>
    (...args: A): R => {
      calls.push([name, ...args.filter(arg => typeof arg !== 'function')])
      return method(...args)
    }
  const opens = { opened: 0, closed: 0 }
  /** Whatever the service gives, its use is recorded, and that it is closed once. */
  const opening = (id: string): OpenJob | undefined => {
    const given = (jobs.open ?? (() => openJob({ id, ...job })))(id)
    if (!given) return undefined
    opens.opened++
    let isOpen = true
    return {
      ...given,
      now: record('now', given.now),
      waitForEnd: record('waitForEnd', given.waitForEnd),
      close() {
        if (isOpen) opens.closed++
        isOpen = false
        given.close()
      },
    }
  }
  const services: Services = {
    jobs: {
      submit: record(
        'submit',
        jobs.submit ??
          (async (_request, _caller, options) => {
            await options?.record?.(ID, _request.user ?? '')
            return { id: ID, rejected: false as const, repeated: false }
          }),
      ),
      open: record('open', opening),
      list: record('list', jobs.list ?? (async () => [])),
      listed: record('listed', jobs.listed ?? (() => undefined)),
      cancel: record('cancel', jobs.cancel ?? ((_id, _caller, _grace, record) => record!())),
      signal: record('signal', jobs.signal ?? ((_id, _caller, _signal, _to, record) => record!())),
      listProcesses: record('listProcesses', jobs.listProcesses ?? (async () => [])),
      countRunning: record('countRunning', jobs.countRunning ?? (() => 0)),
      isDraining: jobs.isDraining ?? (() => false),
      isClosing: jobs.isClosing ?? (() => false),
    },
    changes,
    notifications,
    console,
    authenticator: {
      async authenticate(credentials, client) {
        const { caller, callerNow, ...rest } = authenticator.authenticate(credentials, client)
        const given = (one: Caller): Caller => (rights ? { ...one, rights: new Set(rights) } : one)
        return {
          ...rest,
          caller: given(caller),
          callerNow() {
            const now = callerNow()
            return now && given(now)
          },
        }
      },
    },
    audit: {
      recordOrFail: async entry => void audited.push({ ...entry }),
      recordRepeatable: async (entry, among) =>
        void audited.push({ ...entry, ...(among !== undefined && { among }) }),
      hashesOf: ({ cmd }, body) => ({ sha256: `hash of ${cmd}`, bodySha256: `hash of ${body.length} bytes` }),
      textOf: ({ cmd }) => ({ command: cmd }),
      recordFailedAuthentication: async (code, client) =>
        void audited.push({ action: 'authenticate', outcome: code, client }),
    },
    metrics: {
      request: (...args) => void counted.push(args.join(' ')),
      authenticationFailed: reason => void counted.push(reason),
      text: async () => 'newdt_jobs_total 1\n',
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    },
    status: record('status', () => ({ ...STATUS, ...status })),
    facts: record('facts', async () => ({ ...FACTS, ...facts })),
    history: record('history', () => HISTORY),
    drain: record('drain', () => {}),
    bodyLimit,
    reportError: (...args) => void reported.push(args),
  }
  const app = createApp(services)

  /** The answer with its body unread. */
  const open = (request: Request): Promise<Response> =>
    app(request, {
      requestId: REQUEST_ID,
      address: ADDRESS,
      isPrivate,
      isEncrypted: certificate !== undefined,
      certificate,
      authority: AUTHORITY,
      target: request.url.slice(request.url.indexOf('/', 'http://'.length)),
      note: fields => void notes.push(fields),
    })
  const ask = async (request: Request) => {
    const response = await open(request)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
    const { status, headers } = response
    const path = new URL(request.url).pathname
    assert.deepEqual(checkAnswer({ method: request.method, path, status, headers, text }), [])
    return { status, headers, text, body }
  }
  return { services, app, calls, reported, notes, audited, counted, opens, open, ask }
}

/** So whoever follows all jobs is told at once that this is over. */
const noChanges = () => {
  const changes = createJobChanges({ subscribe: () => () => {} })
  changes.close()
  return changes
}

export type Fake = ReturnType<typeof createFake>

/** The agent's own signature check, at a fixed time in milliseconds. */
export const authenticatorAt = (now: number, secret = SECRET) =>
  createAuthenticator(withDefaultKey([], [secret]), {
    ttlMs: TTL_MS,
    clockSkewMs: CLOCK_SKEW_MS,
    now: () => now,
    nonces: memoryNonces(() => now),
    isStrict: false,
  })

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

/** The envelope of a failure; its word is found by the message, so that a test states it once. */
export const failed = (code: number, msg: string, error = wordOf(code, msg)) => ({
  code,
  success: false,
  msg,
  error,
  data: null,
})

const wordOf = (status: number, msg: string): string | undefined =>
  Object.entries(ERROR_REPLIES).find(([, reply]) => {
    const text = reply.zh(NO_DETAILS)
    return reply.status === status && msg.startsWith(text.split('undefined')[0]!)
  })?.[0]

const NO_DETAILS = {
  rights: ['undefined'],
  reasons: ['undefined'],
  user: 'undefined',
  detail: { zh: 'undefined', en: 'undefined' },
} as never

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

export const STATUS: AgentStatus = {
  version: '1.2.3',
  startTime: '2026-01-31T12:00:00Z',
  running: 2,
  limit: 5,
  stopping: false,
  draining: false,
  guesses: { wrong: 3, unseen: 1 },
  guardian: { state: 'running', restarts: 0 },
  audit: { state: 'ok' },
  limits: fakeSupport().limitSupport(),
  users: { possible: true },
  store: { state: 'ok' },
  fleet: null,
  defaultLimits: {},
  maxLimits: {},
  runAs: [],
}

export const FACTS: AgentFacts = {
  host: {
    name: 'db1',
    system: 'Linux',
    release: '6.1.0-18-amd64',
    machine: 'x86_64',
    cpus: 4,
    memoryBytes: 2 ** 33,
  },
  disk: { freeBytes: 2 ** 30, totalBytes: 2 ** 34 },
  storeBytes: 4096,
}

export const HISTORY: History = {
  everyMs: 15_000,
  samples: [0, 1].map(n => ({
    time: 1_670_999_470_748_369 + n * 15_000_000,
    running: 2,
    started: n,
    ended: 3,
    failed: 1,
    rejected: 0,
    cpu: 0.25,
    residentBytes: 50_000_000,
    load: 1.5,
  })),
}

/** The contract's finished job, as the service gives it. */
export const jobRecord = (
  fields: { state?: Job['state']; encoding?: string; cmd?: string; id?: string; caller?: string } = {},
  output: OutputTotals = NO_OUTPUT,
): JobRecord => {
  const { state = 'success', ...given } = fields
  const facts = {
    id: ID,
    cmd: 'for ((i=0;i<2;i++));do echo $i; done;',
    params: '',
    scriptName: '',
    scriptType: '' as const,
    scriptPath: '',
    async: false,
    encoding: 'utf-8',
    createTime: CREATE_TIME,
    caller: 'default',
    client: ADDRESS,
    labels: {},
    user: '',
    notify: null,
    queue: null,
    limits: {},
    ...given,
  }
  return { job: jobOf(state, facts), output, livingLeftovers: 0 }
}

const NO_OUTPUT = { stdoutBytes: 0, stderrBytes: 0, keptBytes: 0 }
export const CREATE_TIME = 1_670_999_470_748_369

const jobOf = (state: Job['state'], facts: Omit<RunningJob, 'state' | 'pid' | 'startTime'>): Job => {
  if (state === 'rejected') return { ...facts, state, error: 'all slots are taken' }
  const started = { ...facts, pid: 7771, startTime: CREATE_TIME + 597 }
  if (state === 'running') return { ...started, state }
  return {
    ...started,
    state,
    finishTime: CREATE_TIME + 10_127_522,
    exitCode: 0,
    signal: '',
    error: '',
    reason: 'exited',
    cpu: { user: 0.01, system: 0.02 },
    usage: { ...NO_USAGE, cpu: 0.03 },
    leftovers: 0,
    survivors: [],
  }
}

/** An open job that has ended and wrote nothing. */
export const openJob = (given: Partial<OpenJob> = {}): OpenJob => ({
  id: ID,
  now: async () => jobRecord(),
  waitForEnd: async () => {},
  output: createFakeOutput().end().view,
  close() {},
  ...given,
})
