import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { runVerb } from '../../support/run-verb.ts'

const status = (draining: boolean) => ({
  ...{ version: '0.1.0', running: 2, limit: 5, stopping: false, draining },
  caller: { id: 'default', rights: ['admin'] },
})
const DRAINING: [number, unknown] = [200, { code: 0, success: true, msg: '', data: status(true) }]
const ANOTHER: [number, unknown] = [200, { code: 0, success: true, msg: '', data: status(false) }]
/** Whoever answers so does not end. */
const LASTING = new Set([ANOTHER])
const FORBIDDEN: [number, unknown] = [403, { code: 403, success: false, error: 'forbidden', msg: 'not you' }]

/** Drains an agent that gives these answers, and then takes no connections any more. */
const drain = async (t: TestContext, ...answers: [number, unknown][]) => {
  const server = createServer((_, response) => {
    const [code, body] = LASTING.has(answers[0]!) ? answers[0]! : answers.shift()!
    response.setHeader('Connection', 'close').writeHead(code).end(JSON.stringify(body))
    if (answers.length === 0) server.close()
  })
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const { code, stdout } = await runVerb(['drain', '--wait', `http://${host}`], { NEWDT_SECRET: 's' })
  return [code, stdout.replaceAll(host, 'db1')]
}

const TOLD = [0, 'db1: takes no new jobs, ends with the last of 2 jobs\ndb1: has ended\n']

test('drain --wait comes back when the agent has ended', async t => {
  assert.deepEqual(await drain(t, DRAINING, DRAINING), TOLD)
})

test('drain --wait comes back when another agent was started', async t => {
  assert.deepEqual(await drain(t, DRAINING, DRAINING, ANOTHER), TOLD)
})

test('drain --wait ends when it may not look', async t => {
  await assert.rejects(drain(t, DRAINING, FORBIDDEN), { word: 'forbidden' })
})
