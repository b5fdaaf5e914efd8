import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { type AgentClient, type ClientError, connect, type Result } from '../../../lib/client/client.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

const ID = '0'.repeat(32)
const job = jobToJson({ job: endOf(runningJob()), output: NO_OUTPUT, livingLeftovers: 0 })
const cpu = { user: 0, system: 0 }
const process = { pid: 1, parent: 0, state: 'S', command: 'init', cpu, residentBytes: 1 }
const agent = {
  version: '0.1.0',
  running: 0,
  limit: 5,
  stopping: false,
  draining: false,
  caller: { id: 'default', rights: ['read'] },
}

const host = {
  name: 'db1',
  system: 'Linux',
  release: '6.1.0',
  machine: 'x86_64',
  cpus: 4,
  memoryBytes: 2 ** 33,
}
const disk = { freeBytes: 2 ** 53 - 1, totalBytes: 2 ** 53 - 1 }
const sample = {
  time: '2026-01-31T12:00:00Z',
  running: 1,
  started: 2,
  ended: 3,
  failed: 4,
  rejected: 5,
  cpu: 0.5,
  residentBytes: 6,
  load: 1.25,
}

/** A client of a server that answers everything with this, in the envelope of an agent. */
const clientOf = (data: unknown): AgentClient =>
  connect('http://127.0.0.1:1', {
    patienceMs: 0,
    fetch: async () => Response.json({ code: 0, success: true, msg: '', data }),
  })

/** Each with one of its fields as no agent has it. */
const oddOf = <T extends object>(good: T, fields: Record<string, unknown[]>): T[] =>
  Object.entries(fields).flatMap(([name, values]) => values.map(value => ({ ...good, [name]: value })))

const TIME = '2026-01-31T12:00:00.5+01:00'
const ODD_TIMES = ['', '\u001b[2J', '2026-01-31', `${TIME}\n`, 0]
const ODD_WORDS = ['run\u001b[2Jning', 'Running', 'a\n', '__proto__', 1]
const ODD_COUNTS = ['0', -5, 0.5, Number.MAX_VALUE, null]
const ODD_SUPPORT = [null, 1, 'x', []]
const ODD_AGENT = {
  running: ODD_COUNTS,
  limit: ODD_COUNTS,
  startTime: ODD_TIMES,
  users: [...ODD_SUPPORT, { missing: 1 }],
  host: [null, 'db1', ...oddOf(host, { name: [null, 1], cpus: ODD_COUNTS, memoryBytes: ODD_COUNTS })],
  disk: [1, 'x', [], ...oddOf(disk, { freeBytes: ODD_COUNTS, totalBytes: ODD_COUNTS })],
  store: [null, 'ok', { bytes: '1' }, { bytes: -1 }],
  limits: [...ODD_SUPPORT, ...[...ODD_SUPPORT, { missing: {} }].map(cpus => ({ cpus }))],
}
const ODD_PROCESS = {
  pid: ODD_COUNTS,
  residentBytes: ODD_COUNTS,
  cpu: [1, { user: -1, system: 0 }, { user: 0, system: null }],
}
const ODD_JOB = {
  id: ['../x', 1],
  state: [...ODD_WORDS, ''],
  reason: ODD_WORDS,
  signal: ['TERM', 'SIG\u001b', `SIG${'9'.repeat(400)}`, undefined],
  createTime: ODD_TIMES,
  startTime: ODD_TIMES,
  finishTime: ODD_TIMES,
  exitCode: ['1', 1.5, null],
  pid: ODD_COUNTS,
}

type Ask = (client: AgentClient) => Promise<Result<unknown>>
const JOB_ASKS: Record<string, Ask> = {
  get: client => client.job(ID).get(),
  wait: client => client.job(ID).wait(),
  cancel: client => client.job(ID).cancel(),
  signal: client => client.job(ID).signal('HUP'),
}
const ASKS: Record<string, { ask: Ask; good: unknown[]; odd: unknown[] }> = {
  submit: { ask: client => client.submit({ cmd: 'true' }), good: [{ id: ID }], odd: [{}, { id: 'x' }, []] },
  list: {
    ask: client => client.list(),
    good: [[], [job]],
    odd: [{}, 'x', [{}], [null], [{ id: ID }], [{ ...job, createTime: 1 }]],
  },
  find: { ask: client => client.find('0'), good: [], odd: [{}, [{ id: 'x' }]] },
  countRunning: {
    ask: client => client.countRunning(),
    good: [0, 3],
    odd: [{}, '3', 1.5, -5, Number.MAX_VALUE, []],
  },
  status: {
    ask: client => client.status(),
    good: [
      agent,
      { ...agent, limits: { cpus: { by: 'x' }, nice: { missing: 'y' } }, startTime: TIME },
      { ...agent, host, disk, store: { state: 'ok', bytes: 1 } },
      { ...agent, host, disk: null, store: { state: 'gone', bytes: null } },
      { ...agent, store: { state: 'ok' } },
      { ...agent, fleet: null },
      { ...agent, fleet: { name: 'db1', labels: {}, state: 'connected', queue: 'on' } },
    ],
    odd: [{}, [], ...oddOf(agent, ODD_AGENT)],
  },
  history: {
    ask: client => client.history(),
    good: [
      { everyMs: 15_000, samples: [] },
      { everyMs: 15_000, samples: [sample, { ...sample, isNew: true }] },
    ],
    odd: [
      {},
      { everyMs: 15_000 },
      { everyMs: '15s', samples: [] },
      { everyMs: 15_000, samples: {} },
      ...oddOf(sample, {
        time: ODD_TIMES,
        running: ODD_COUNTS,
        failed: ODD_COUNTS,
        cpu: [null, -1, '1'],
        load: [null, -1],
      }).map(one => ({ everyMs: 15_000, samples: [sample, one] })),
    ],
  },
  drain: {
    ask: client => client.drain(),
    good: [{ ...agent, isNew: true }],
    odd: [{}, 'x', { ...agent, caller: {} }, { ...agent, caller: { id: 'x', rights: [1] } }],
  },
  processes: {
    ask: client => client.job(ID).processes(),
    good: [[], [process]],
    odd: [{}, [{}], ...oddOf(process, ODD_PROCESS).map(one => [one])],
  },
  ...Object.fromEntries(
    Object.entries(JOB_ASKS).map(([name, ask]) => [
      name,
      {
        ask,
        good: [job, { ...job, state: 'not-known-yet', reason: 'new-too', signal: 'SIGRTMIN+1' }],
        odd: [{}, [], 'x', 0, { id: ID }, ...oddOf(job, ODD_JOB)],
      },
    ]),
  ),
}

for (const [name, { ask, good, odd }] of Object.entries(ASKS)) {
  test(`what ${name} is answered is believed when it has the shape of an agent's answer`, async () => {
    for (const data of good) assert.equal((await ask(clientOf(data))).ok, true, JSON.stringify(data))
    for (const data of odd) {
      const result = (await ask(clientOf(data))) as { error?: ClientError }
      assert.equal(result.error?.word, 'not-an-agent', JSON.stringify(data))
    }
  })
}
