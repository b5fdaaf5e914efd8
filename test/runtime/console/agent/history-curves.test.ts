import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentHistory } from '../../../../lib/client/client.ts'
import { curvesOf } from '../../../../runtime/console/agent/history-curves.ts'

const START = Date.parse('2026-01-31T12:00:00Z')

const sample = (seconds: number, fields: Partial<AgentHistory['samples'][number]> = {}) => ({
  time: new Date(START + seconds * 1000).toISOString(),
  running: 0,
  started: 0,
  ended: 0,
  failed: 0,
  rejected: 0,
  cpu: 0,
  residentBytes: 0,
  load: 0,
  ...fields,
})

const drawn = (...samples: AgentHistory['samples']) =>
  curvesOf({ everyMs: 15_000, samples }, { limit: 5, cpus: 4 })

test('running jobs are drawn against the slots, and told in words', () => {
  const [running] = drawn(sample(0, { running: 4 }), sample(15, { running: 2 }))
  assert.deepEqual(running?.times, [START, START + 15_000])
  assert.deepEqual(
    running?.series.map(({ values }) => values),
    [
      [4, 2],
      [5, 5],
    ],
  )
  assert.equal(running?.summary, '2 now, 4 at the most. 5: limit.')
})

test('jobs that have ended are counted by the minute, each once', () => {
  const [, ended] = drawn(
    sample(15, { ended: 3, failed: 1 }),
    sample(45, { ended: 1, rejected: 2 }),
    sample(60, { ended: 1, failed: 1 }),
  )
  assert.deepEqual(ended?.times, [START + 30_000, START + 90_000])
  assert.deepEqual(
    ended?.series.map(({ values }) => values),
    [
      [3, 0],
      [1, 1],
      [2, 0],
    ],
  )
  assert.equal(ended?.summary, '5 have ended, 2 of them failed; 2 were rejected.')
})

test('a minute without a sample is one without an end', () => {
  const [, ended] = drawn(sample(0, { ended: 1 }), sample(150, { ended: 1 }))
  assert.deepEqual(ended?.series[0]?.values, [1, 0, 1])
})

test('every curve is of the hour before the last sample', () => {
  for (const { span } of drawn(sample(0), sample(15)))
    assert.deepEqual(span, [START + 15_000 - 3_600_000, START + 15_000])
})
