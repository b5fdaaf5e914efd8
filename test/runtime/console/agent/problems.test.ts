import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Agent } from '../../../../lib/client/client.ts'
import { problemsOf } from '../../../../runtime/console/agent/problems.ts'
import { FACTS, STATUS } from '../../../handlers/fake-services.ts'

const { storeBytes, ...facts } = FACTS
const { runAs, ...status } = STATUS
const WELL: Agent = {
  ...status,
  ...facts,
  stopping: false,
  draining: false,
  limit: 5,
  guardian: { state: 'running', restarts: 0 },
  guesses: { wrong: 3, unseen: 0 },
  audit: { state: 'ok' },
  store: { state: 'ok', bytes: storeBytes },
  disk: { freeBytes: 2 ** 34, totalBytes: 2 ** 36 },
  caller: { id: 'default', rights: ['read'], users: [...runAs], bounds: {} },
}

const textsOf = (changes: Partial<Agent>, running = 0): string[] =>
  problemsOf({ ...WELL, ...changes }, running).map(({ level, text }) => `${level}: ${text}`)

test('an agent that is well has no problem', () => {
  assert.deepEqual(problemsOf(WELL, 4), [])
  assert.deepEqual(problemsOf({ ...WELL, disk: null }, 4), [])
  const { disk, ...older } = WELL
  assert.deepEqual(problemsOf(older, 4), [])
})

test('whatever makes the agent refuse jobs is told, the worst first', () => {
  const changes: Partial<Agent> = {
    store: { state: 'full', bytes: 1 },
    audit: { state: 'failing' },
    draining: true,
  }
  const texts = textsOf(changes, 5)
  assert.match(texts[0]!, /^bad: The agent is draining.* 5 that run/)
  assert.match(texts[1]!, /^bad: The disk is full/)
  assert.match(texts[2]!, /^bad: The audit trail cannot be written: new jobs are refused/)
  assert.match(texts[3]!, /^warn: All slots are taken/)
  assert.equal(texts.length, 4)
})

test('one job that is waited for is not told as several', () => {
  assert.match(textsOf({ draining: true }, 1)[0]!, /ends with the one that runs\./)
})

test('an agent that stops while it drains is told once', () => {
  assert.equal(textsOf({ stopping: true, draining: true }).length, 1)
})

test('a guardian that is missing is told with why', () => {
  const [problem] = problemsOf({ ...WELL, guardian: { state: 'missing', error: 'no awk', restarts: 1 } }, 0)
  assert.equal(problem?.level, 'bad')
  assert.equal(problem?.detail, 'no awk')
})

test('little room on the disk, and requests that were not looked at, are told', () => {
  const changes: Partial<Agent> = {
    disk: { freeBytes: 1024 ** 2, totalBytes: 2 ** 36 },
    guesses: { wrong: 100, unseen: 7 },
  }
  const texts = textsOf(changes)
  assert.match(texts[0]!, /1\.0 MB left/)
  assert.match(texts[1]!, / 7 requests/)
})
