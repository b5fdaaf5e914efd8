import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Msg } from '@nats-io/nats-core'
import { createAnswerReader } from '../../../lib/fleet/answer-reader.ts'
import type { FleetError } from '../../../lib/fleet/fleet-error.ts'
import { messageHeaders, WINDOW, WIRE } from '../../../lib/fleet/wire.ts'
import { settled } from '../../handlers/deadline.ts'

/** A reader that is given messages by hand, and what it has said to the agent and to its caller. */
const setUp = (memory?: { take(bytes: number): boolean; giveBack(bytes: number): void }) => {
  const acknowledged: string[] = []
  const canceled: string[] = []
  const failures: FleetError[] = []
  const responses: Response[] = []
  let overs = 0
  const reader = createAnswerReader({
    onHead: response => void responses.push(response),
    onFailed: error => void failures.push(error),
    onOver: () => void overs++,
    acknowledge: (reply, isCancel) => void (isCancel ? canceled : acknowledged).push(reply),
    now: () => 0,
    ...(memory && { memory }),
  })
  const take = (kind: string, fields: Record<string, string>, text = '', reply = ''): void =>
    reader.take(kind, messageHeaders({ [WIRE.host]: 'db1', ...fields }), {
      data: new TextEncoder().encode(text),
      reply,
    } as Msg)
  return {
    reader,
    acknowledged,
    canceled,
    failures,
    overs: () => overs,
    head: (text = '', fields = {}) => {
      take('head', { [WIRE.status]: '200', [WIRE.seq]: '0', ...fields }, text, 'ack.0')
      return responses[0]
    },
    part: (seq: number, fields = {}) =>
      take('part', { [WIRE.seq]: `${seq}`, ...fields }, `${seq} `, `ack.${seq}`),
    take,
  }
}

const END = { [WIRE.end]: 'true' }

test('a piece is acknowledged when it was read, not before', async () => {
  const { head, part, acknowledged } = setUp()
  const body = head()!.body!.getReader()
  part(1)
  part(2)
  assert.deepEqual(acknowledged, [])
  await body.read()
  assert.deepEqual(acknowledged, ['ack.1'])
  await body.read()
  assert.deepEqual(acknowledged, ['ack.1', 'ack.2'])
})

test('an agent that keeps to the window is never too fast for a reader that reads nothing yet', async () => {
  const { head, part, overs, canceled } = setUp()
  const response = head('0 ')!
  for (let seq = 1; seq <= WINDOW; seq++) part(seq)
  assert.deepEqual([overs(), canceled], [0, []])
  const text = response.text()
  await settled()
  part(WINDOW + 1, END)
  assert.equal(await text, Array.from({ length: WINDOW + 2 }, (_, seq) => `${seq} `).join(''))
  assert.equal(overs(), 1)
})

test('one that goes on without being acknowledged is cut off after a bounded number of pieces', async () => {
  const { head, part, canceled, overs } = setUp()
  const response = head('0 ')!
  let seq = 0
  while (overs() === 0) {
    part(++seq)
    assert.ok(seq <= 3 * WINDOW, `${seq} pieces wait for nobody who reads`)
  }
  assert.deepEqual(canceled, [`ack.${seq}`])
  await assert.rejects(response.text(), { code: 'FLEET_LOST' })
})

test('a piece that is missing or comes twice breaks the body, and the agent is told', async () => {
  for (const wrong of [1, 3, 0]) {
    const { head, part, canceled } = setUp()
    const response = head()!
    part(1)
    part(wrong)
    assert.deepEqual(canceled, [`ack.${wrong}`], String(wrong))
    await assert.rejects(response.text(), { code: 'FLEET_LOST' })
  }
})

test('after its end nothing that comes is anything', async () => {
  const { head, part, take, reader, failures, overs, acknowledged } = setUp()
  const text = head()!.text()
  part(1, END)
  assert.equal(await text, '1 ')
  part(2)
  take('error', { [WIRE.error]: 'broken' })
  assert.equal(head('again'), head())
  reader.fail(new Error('silent') as FleetError)
  assert.deepEqual([failures.length, overs(), acknowledged], [0, 1, ['ack.1']])
})

test('a sign of life is acknowledged at once, and is nothing of the body', async () => {
  const { head, part, take, acknowledged } = setUp()
  take('alive', {}, '', 'ack.alive')
  const text = head()!.text()
  take('alive', {}, '', 'ack.alive2')
  part(1, END)
  assert.equal(await text, '1 ')
  assert.deepEqual(acknowledged, ['ack.alive', 'ack.alive2', 'ack.1'])
})

test('an agent without room is told apart from an answer that has broken off', () => {
  for (const [word, code] of [
    ['busy', 'FLEET_NOT_BEGUN'],
    ['stopped', 'FLEET_LOST'],
  ] as const) {
    const { take, failures, overs } = setUp()
    take('error', { [WIRE.error]: word })
    assert.deepEqual([failures.map(error => error.code), overs()], [[code], 1])
  }
})

test('an answer that comes whole takes its room until it is read, or given up', async () => {
  let left = 3
  const memory = {
    take(bytes: number) {
      if (bytes > left) return false
      left -= bytes
      return true
    },
    giveBack(bytes: number) {
      left += bytes
    },
  }
  const first = setUp(memory)
  const response = first.head('abc', END)!
  assert.deepEqual([left, first.overs()], [0, 1])
  const second = setUp(memory)
  assert.equal(second.head('d', END), undefined)
  assert.deepEqual(
    second.failures.map(({ fault }) => fault),
    ['lost'],
  )
  assert.equal(await response.text(), 'abc')
  assert.equal(left, 3)
  await setUp(memory).head('abc', END)!.body!.cancel()
  assert.equal(left, 3)
})
