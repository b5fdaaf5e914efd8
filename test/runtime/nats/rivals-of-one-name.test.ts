import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { type RivalsOptions, watchRivals } from '../../../runtime/nats/rivals.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Claim {
  id: string
  startedAt: number
  serving: boolean
  asks: boolean
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** An engine whose agents are as far away as each says, and all that was said on it. */
const createBus = () => {
  const hearers = new Map<string, Set<(bytes: Uint8Array) => void>>()
  const claims: Claim[] = []
  let isMute = false
  const connect = (delayMs: number) => {
    const later = (run: () => void) => (delayMs > 0 ? setTimeout(run, delayMs) : setImmediate(run))
    return {
      publish(subject: string, text: string) {
        claims.push(JSON.parse(text))
        if (isMute) return
        later(() => {
          for (const hear of hearers.get(subject) ?? []) hear(new TextEncoder().encode(text))
        })
      },
      subscribe(subject: string, { callback }: { callback(error: null, message: Msg): void }) {
        const hear = (data: Uint8Array) => later(() => callback(null, { data } as Msg))
        const all = hearers.get(subject) ?? new Set()
        hearers.set(subject, all.add(hear as (bytes: Uint8Array) => void))
        return { isClosed: () => false, unsubscribe: () => all.delete(hear as (bytes: Uint8Array) => void) }
      },
    } as unknown as Pick<NatsConnection, 'publish' | 'subscribe'>
  }
  /** An agent, as far as its name goes; times are so that it looks once unless a test says otherwise. */
  const join = (
    startedAt: number,
    { delayMs = 0, ...more }: { delayMs?: number } & Partial<RivalsOptions> = {},
  ) => {
    const { log, lines } = recordingLog()
    const decisions: boolean[] = []
    const rivals = watchRivals({
      connection: connect(delayMs),
      name: 'db1',
      startedAt,
      onDecided: isNow => void decisions.push(isNow),
      log,
      everyMs: 60_000,
      retryMs: 60_000,
      waitMs: 50,
      ...more,
    })
    closing.push(rivals.close)
    return { ...rivals, lines, decisions, isOurs: () => decisions.at(-1) }
  }
  return {
    join,
    claims,
    mute(isNow: boolean) {
      isMute = isNow
    },
  }
}

test('of two that are far from each other the later one gives the name up when it hears of the other', async () => {
  for (const [far, near] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const { join } = createBus()
    const one = join(far, { delayMs: 150 })
    await waitFor('the far one has it', one.isOurs)
    const other = join(near)
    await waitFor(
      'both had it, and one has it no more',
      () => one.isOurs() !== other.isOurs() && other.isOurs() !== undefined,
    )
    await waitFor('one of them has heard that', () => [...one.decisions, ...other.decisions].includes(false))
    assert.deepEqual([one.isOurs(), other.isOurs()], [far < near, near < far])
    const second = far < near ? other : one
    assert.match(second.lines.map(({ message }) => message).join(), /ANOTHER AGENT HAS THIS NAME/)
  }
})

test('those who ask are not answered by all', async () => {
  const { join, claims } = createBus()
  const first = join(0)
  await waitFor('it has it', first.isOurs)
  const others = Array.from({ length: 12 }, (_, n) => join(n + 1, { waitMs: 5, retryMs: 200 }))
  await waitFor('all know', () => others.every(({ isOurs }) => isOurs() === false))
  claims.length = 0
  const asked = () => claims.filter(({ asks }) => asks).length
  await waitFor('they ask again', () => asked() >= 20)
  // One that looks itself, and has heard nothing yet, answers too; but not all of them.
  assert.ok(claims.length <= 4 * asked(), `${claims.length} claims for ${asked()} that ask`)
  assert.equal(first.isOurs(), true)
})

test('who was told without asking that another has the name does not ask', async () => {
  const { join, claims } = createBus()
  const first = join(1)
  await waitFor('it has it', first.isOurs)
  const patient = join(2, { retryMs: 200 })
  await waitFor('it knows', () => patient.isOurs() === false)
  claims.length = 0
  const restless = join(3, { retryMs: 20, waitMs: 5 })
  await waitFor('the other has asked for longer than it waits', () => claims.length >= 60)
  assert.equal(restless.isOurs(), false)
  const asking = new Set(claims.filter(({ asks }) => asks).map(({ startedAt }) => startedAt))
  assert.deepEqual([...asking], [3])
})

test('the name does not move when all come back, and the one that had it comes last', async () => {
  const { join } = createBus()
  const first = join(1)
  await waitFor('it has it', first.isOurs)
  const second = join(0, { retryMs: 600 })
  await waitFor('it knows', () => second.isOurs() === false)
  first.disconnected()
  second.disconnected()
  second.reconnected()
  // As long as the second one would take to get it.
  const measure = join(1, { name: 'db2' })
  await waitFor('that long', measure.isOurs)
  first.reconnected()
  await waitFor('it looks after all', () => second.decisions.length === 2)
  assert.deepEqual(
    [first.decisions, second.decisions],
    [
      [true, true],
      [false, false],
    ],
  )
})

test('one that is not heard is told of when it serves no more, even if it was not heard before', async () => {
  const { join, claims, mute } = createBus()
  const one = join(1, { everyMs: 5, echoMs: 5 })
  await waitFor('it has it', one.isOurs)
  mute(true)
  claims.length = 0
  await waitFor('it is not heard', () => claims.length >= 3)
  assert.equal(one.lines.length, 0)
  one.disconnected()
  one.reconnected()
  await waitFor('it says so', () => one.lines.length > 0)
  assert.match(one.lines[0]!.message, /^THE AGENT DOES NOT SERVE THE FLEET/)
})
