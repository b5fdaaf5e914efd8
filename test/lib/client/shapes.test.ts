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

/** A client of a server that answers everything with this, in the envelope of an agent. */
const clientOf = (data: unknown): AgentClient =>
  connect('http://127.0.0.1:1', {
    patienceMs: 0,
    fetch: async () => Response.json({ code: 0, success: true, msg: '', data }),
  })

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
  countRunning: { ask: client => client.countRunning(), good: [0, 3], odd: [{}, '3', 1.5, []] },
  status: { ask: client => client.status(), good: [agent], odd: [{}, [], { ...agent, running: '0' }] },
  drain: {
    ask: client => client.drain(),
    good: [{ ...agent, isNew: true }],
    odd: [{}, 'x', { ...agent, caller: {} }, { ...agent, caller: { id: 'x', rights: [1] } }],
  },
  processes: {
    ask: client => client.job(ID).processes(),
    good: [[], [process]],
    odd: [{}, [{}], [{ ...process, cpu: 1 }], [{ ...process, pid: '1' }]],
  },
  ...Object.fromEntries(
    Object.entries(JOB_ASKS).map(([name, ask]) => [
      name,
      {
        ask,
        good: [job, { ...job, state: 'a state that is not known yet' }],
        odd: [{}, [], 'x', 0, { id: ID }, { ...job, id: '../x' }, { ...job, signal: undefined }],
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
