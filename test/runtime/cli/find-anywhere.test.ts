import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { findAnywhere } from '../../../runtime/cli/find-anywhere.ts'
import type { NamedHost } from '../../../runtime/cli/which-host.ts'

const A = 'a'.repeat(32)
const AB = `${'a'.repeat(31)}b`
const TIME = '2026-01-31T12:00:00Z'

const jobOf = (id: string) => ({
  ...{
    id,
    cmd: '',
    params: '',
    scriptName: '',
    pid: 1,
    state: 'running',
    stdout: '',
    stderr: '',
    exitCode: 0,
  },
  ...{ execCmd: '', error: '', createTime: TIME, startTime: TIME, finishTime: TIME, reason: '', signal: '' },
  ...{ caller: '', labels: {} },
})

/** An agent with these jobs; undefined for one that never answers. */
const host = async (t: TestContext, name: string, ids: string[] | undefined): Promise<NamedHost> => {
  const server = createServer((request, response) => {
    if (!ids) return
    const { pathname } = new URL(request.url!, 'http://agent')
    const [id] = ids.filter(one => pathname.endsWith(one))
    const data = pathname === '/api/jobs' ? ids.map(jobOf) : id && jobOf(id)
    response.statusCode = data ? 200 : 404
    const answer = { code: 0, success: true, msg: '', data }
    response.end(
      JSON.stringify(data ? answer : { code: 404, success: false, msg: 'no such job', error: 'unknown-job' }),
    )
  }).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { name, load: async () => ({ name, url, credentials: { secret: 's' } }) }
}

const fleetOf = (...hosts: NamedHost[]) => ({ name: 'prod', all: async () => hosts })

test('a whole id is found on the host that has it, and no silent one is waited for then', async t => {
  const hosts = [await host(t, 'silent', undefined), await host(t, 'none', []), await host(t, 'db1', [A])]
  // It would be given up after hours.
  const { agent, job } = await findAnywhere(fleetOf(...hosts), A, undefined, 2 ** 31 - 1)
  assert.deepEqual([agent.host.name, job.id], ['db1', A])
})

test('the beginning of an id is found, unless several jobs begin so, on one host or on two', async t => {
  const [both, one, other] = [
    await host(t, 'both', [AB, A]),
    await host(t, 'one', [A]),
    await host(t, 'other', [AB]),
  ]
  assert.equal((await findAnywhere(fleetOf(one), 'aaa')).job.id, A)
  const ambiguous = (...hosts: NamedHost[]) => findAnywhere(fleetOf(...hosts), 'aaa')
  await assert.rejects(ambiguous(both, one), { word: 'ambiguous-id' })
  await assert.rejects(ambiguous(one, other), { word: 'ambiguous-id', message: /jobs on o\w+ and o\w+$/ })
})

test('one that nobody has is told as such, or that somebody could not be asked', async t => {
  const none = await host(t, 'none', [])
  await assert.rejects(findAnywhere(fleetOf(none, none), A), {
    word: 'unknown-job',
    message: `prod: none of its 2 agents has a job ${A}`,
  })
  const broken: NamedHost = { name: 'broken', load: () => Promise.reject(new Error('no such file')) }
  await assert.rejects(findAnywhere(fleetOf(none, broken), A), {
    message: `${A}: 1 of 2 agents do not know it, but broken: no such file`,
  })
})

test('one that is silent is given up, and told', async t => {
  const hosts = [await host(t, 'silent', undefined), await host(t, 'none', [])]
  await assert.rejects(findAnywhere(fleetOf(...hosts), A, undefined, 300), {
    message: `${A}: 1 of 2 agents do not know it, but silent: no answer within 0.3 s; is an agent running there? "newdt agent" starts one, --host or NEWDT_HOST names another`,
  })
})

test('no more are asked at a time than a connection bears', async () => {
  let now = 0
  let most = 0
  const hosts = Array.from(
    { length: 100 },
    (_, index): NamedHost => ({
      name: `host${index}`,
      async load() {
        most = Math.max(most, ++now)
        await new Promise(resolve => setImmediate(resolve))
        now--
        throw new Error('away')
      },
    }),
  )
  await assert.rejects(findAnywhere(fleetOf(...hosts), A), /0 of 100 agents do not know it, .*; and 97 more$/)
  assert.equal(most, 32)
})
