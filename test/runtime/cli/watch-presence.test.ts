import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientError, type Result } from '../../../lib/client/client.ts'
import { FleetError } from '../../../lib/fleet/fleet-error.ts'
import type { Agent } from '../../../runtime/cli/ask.ts'
import { whileThere } from '../../../runtime/cli/watch-presence.ts'

const nobody = new ClientError('unreachable', 'x', { cause: new FleetError('nobody-there', 'x') })
const noEngine = new ClientError('unreachable', 'x', { cause: new FleetError('not-sent', 'x') })
const refused = new ClientError('forbidden', 'x', { status: 403 })
const there = { ok: true, value: {} } as Result<never>

/** An agent of a fleet that answers so, one after the other; the last for ever. */
const agentOf = (answers: Result<never>[], host: Partial<Agent['host']> = { fetch }) => {
  let asked = 0
  const status = async () => answers[Math.min(asked++, answers.length - 1)]
  return {
    asked: () => asked,
    agent: { client: { status }, host: { name: 'db1', url: '', ...host } } as unknown as Agent,
  }
}

const failed = (error: ClientError): Result<never> => ({ ok: false, error })
const untilGone = (gone: AbortSignal) =>
  new Promise<never>((_, reject) => gone.addEventListener('abort', () => reject(new Error('stopped'))))

test('an agent that is gone for good is given up, and that it is missed was said before', async () => {
  const said: string[] = []
  const { agent } = agentOf([there, failed(nobody)])
  const watched = whileThere(agent, untilGone, {
    say: async line => void said.push(line),
    everyMs: 5,
    patienceMs: 50,
  })
  await assert.rejects(watched, { word: 'gone', message: /^db1: gone since \d\d:\d\d:\d\d$/ })
  assert.equal(said.length, 1)
  assert.match(said[0]!, /^db1: no sign of life, it is looked for until \d\d:\d\d:\d\d$/)
})

test('one that comes back is watched on; neither an engine that is away nor a refusal is taken for its end', async () => {
  const said: string[] = []
  const { agent, asked } = agentOf([
    failed(refused),
    failed(noEngine),
    failed(nobody),
    failed(refused),
    there,
  ])
  const { promise, resolve } = Promise.withResolvers<string>()
  const watched = await whileThere(agent, () => promise, {
    async say(line) {
      said.push(line)
      if (said.length === 2) resolve('its end')
    },
    everyMs: 5,
    patienceMs: 60_000,
  })
  assert.equal(watched, 'its end')
  assert.match(said.join('\n'), /^db1: no sign of life.*\ndb1: is there again$/)
  assert.equal(asked(), 4)
})

test('one that is asked directly is not asked again', async () => {
  const { agent, asked } = agentOf([failed(nobody)], {})
  assert.equal(await whileThere(agent, async () => 'its end', { say: assert.fail, everyMs: 0 }), 'its end')
  assert.equal(asked(), 0)
})
