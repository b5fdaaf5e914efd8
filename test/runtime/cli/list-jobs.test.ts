import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Job, ListedJob } from '../../../lib/client/client.ts'
import { success } from '../../../lib/client/result.ts'
import type { Cli } from '../../../runtime/cli/cli.ts'
import { listJobs, listOnHosts } from '../../../runtime/cli/list-jobs.ts'

/** A host that answers so. */
const hostOf = async (t: TestContext, name: string, answer: (response: ServerResponse) => void) => {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { name, load: async () => ({ name, url, credentials: { secret: 's' } }) }
}

test('a host that is silent, or slow without end, is given up, and the others are listed', async t => {
  const hosts = [
    await hostOf(t, 'silent', () => {}),
    await hostOf(t, 'slow', response => {
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    }),
    await hostOf(t, 'good', response =>
      response.end(JSON.stringify({ code: 0, success: true, msg: '', data: [] })),
    ),
  ]
  const told: string[] = []
  const err = { write: async (line: string) => void told.push(line) }
  const cli = { err, exitCode: 0 } as unknown as Cli
  const since = performance.now()
  assert.deepEqual(await listOnHosts(cli, hosts, {}, 10, 1500), [])
  assert.ok(performance.now() - since < 10_000)
  assert.deepEqual(told.map(line => line.split('; ')[0]).sort(), [
    'newdt: silent: no answer within 1.5 s',
    'newdt: slow: no answer within 1.5 s',
  ])
  assert.equal(cli.exitCode, 1)
})

test('a page may be longer than a stack', async () => {
  const page = Array.from({ length: 200_000 }, (_, id) => ({ id: String(id) }) as ListedJob & Job)
  const jobs = await listJobs({ list: async () => success(page) }, {}, 200_000)
  assert.equal(jobs.length, 200_000)
})
