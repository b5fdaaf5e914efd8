import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { runVerb } from '../../support/run-verb.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'
import { scratchDirectory } from '../../support/scratch.ts'

/** What has come last: the query. */
let asked: URLSearchParams
/** The ids of the jobs that agents list, by the path before that of the API. */
const ids: Record<string, string[]> = {}
const idOf = (digits: string) => digits.padEnd(32, '0')
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url!, 'http://agent')
  asked = searchParams
  const jobs = (ids[pathname.split('/')[1]!] ?? []).map(id => ({
    ...jobToJson({ job: endOf(runningJob({ id: idOf(id) })), output: NO_OUTPUT, livingLeftovers: 0 }),
  }))
  response.end(JSON.stringify({ code: 0, success: true, msg: '', data: jobs }))
})
const config = scratchDirectory()
const env = { XDG_CONFIG_HOME: config, NEWDT_SECRET: 's', NEWDT_HOST: 'web1' }

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  mkdirSync(join(config, 'newdt'))
  const entries = ['web1', 'web2'].map(name => `[hosts.${name}]\nurl = "${url}/${name}"\n`)
  const gone = '[hosts.web3]\nurl = "http://127.0.0.1:1"\n'
  writeFileSync(join(config, 'newdt/hosts.toml'), [...entries, gone].join(''), { mode: 0o600 })
})
after(() => {
  server.closeAllConnections()
  server.close()
})

const column = (table: string, index: number): string[] =>
  table
    .trim()
    .split('\n')
    .map(line => line.split(/ {2,}/)[index]!)

test('ids are as short as tells the jobs apart, and have at least 12 digits', async () => {
  const shown = async (...list: string[]) => {
    ids.web1 = list
    return column((await runVerb(['ps', '-a'], env)).stdout, 0).slice(1)
  }
  assert.deepEqual(await shown('2', '1'), ['200000000000', '100000000000'])
  const same = 'a'.repeat(14)
  assert.deepEqual(await shown(`${same}2`, `${same}1`, '1'), [`${same}2`, `${same}1`, '100000000000000'])
  const all = 'b'.repeat(31)
  assert.deepEqual(await shown(`${all}2`, `${all}1`), [`${all}2`, `${all}1`])
})

test('the jobs of several hosts are one list, the newest first; a host that cannot be asked keeps none', async () => {
  ids.web1 = ['4', '1']
  ids.web2 = ['3', '2', '1']
  const table = await runVerb(['ps', '-a', '--hosts', 'web1,web2'], env)
  assert.equal(table.code, 0)
  assert.deepEqual(column(table.stdout, 0), ['HOST', 'web1', 'web2', 'web2', 'web1', 'web2'])
  const digits = column(table.stdout, 1).slice(1)
  assert.deepEqual(
    digits,
    ['4', '3', '2', '1', '1'].map(digit => digit.padEnd(12, '0')),
  )
  const some = await runVerb(['ps', '-a', '--hosts', 'web*', '-n', '2', '-q'], env)
  assert.deepEqual([some.code, some.stdout], [1, `web1 ${idOf('4')}\nweb2 ${idOf('3')}\n`])
  assert.match(some.stderr, /^newdt: web3: .*\n$/)
  const [row] = (await runVerb(['ps', '-a', '--hosts', 'web2', '-o', 'jsonl'], env)).stdout.split('\n')
  assert.deepEqual([JSON.parse(row!).host, JSON.parse(row!).id], ['web2', idOf('3')])
  await assert.rejects(runVerb(['ps', '-H', 'web1', '--hosts', 'web2'], env), /Name the host once/)
})

test('a day, or a time of it, is by the clock of this machine; what else is given is for the agent', async () => {
  const sinceOf = async (text: string) => {
    await runVerb(['ps', '--since', text, '--until', text], env)
    assert.equal(asked.get('until'), asked.get('since'))
    return asked.get('since')
  }
  const local = (...parts: [number, number, number, number?, number?, number?]) =>
    new Date(...parts).toISOString()
  assert.equal(await sinceOf('2026-11-27'), local(2026, 10, 27))
  assert.equal(await sinceOf('2026-11-27 10:00'), local(2026, 10, 27, 10))
  assert.equal(await sinceOf('2026-11-27T10:05:09'), local(2026, 10, 27, 10, 5, 9))
  for (const text of ['1h', '2026-01-31T12:00:00Z', '2026-02-30', '2026-13-01', '2026-11-27 25:00', '2026'])
    assert.equal(await sinceOf(text), text)
})
