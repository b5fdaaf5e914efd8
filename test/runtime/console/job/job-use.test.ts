import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_USAGE } from '../../../../lib/process/types.ts'
import {
  extremesOf,
  type Look,
  MOST_SAMPLES,
  sampleOf,
  withSample,
} from '../../../../runtime/console/job/job-use.ts'

const process = (pid: number, seconds: number, residentBytes = 0) => ({
  pid,
  parent: 1,
  state: 'R',
  command: 'x',
  cpu: { user: seconds, system: 0 },
  residentBytes,
})

const look = (at: number, processes: Look['processes'], cpu: number | null = null): Look => ({
  at,
  processes,
  usage: { ...NO_USAGE, cpu },
})

test('the share of the processors is what was used since the look before', () => {
  const share = (now: Look, before?: Look) => sampleOf(now, before).cpuShare
  const before = look(1000, [process(7, 1), process(8, 5)])
  assert.equal(share(before), null)
  assert.equal(share(look(3000, [process(7, 4), process(8, 5)]), before), 1.5)
  assert.equal(share(look(3000, [process(9, 4)]), before), 0)
  assert.equal(share(look(1000, [process(7, 4)]), before), null)
})

test('what processes have used that came and went counts, where the job knows it', () => {
  const before = look(1000, [process(7, 1)], 10)
  assert.equal(sampleOf(look(3000, [process(7, 1)], 14), before).cpuShare, 2)
  // A sum over the living ones that has shrunk by one that is gone.
  assert.equal(sampleOf(look(3000, [process(7, 2)], 4), before).cpuShare, 0.5)
})

test("memory is the job's own number, else the sum of its processes", () => {
  const processes = [process(7, 0, 100), process(8, 0, 23)]
  assert.equal(sampleOf(look(0, processes), undefined).memory, 123)
  const known = { ...look(0, processes), usage: { ...NO_USAGE, memory: 90 } }
  assert.equal(sampleOf(known, undefined).memory, 90)
})

test('the oldest samples go when there are too many, and the peak is of those that are left', () => {
  let samples = [{ at: 0, cpuShare: 9, memory: 900 }]
  for (let at = 1; at <= MOST_SAMPLES; at++)
    samples = withSample(samples, { at, cpuShare: at === 5 ? 2 : 1, memory: at }) as typeof samples
  assert.equal(samples.length, MOST_SAMPLES)
  assert.deepEqual(extremesOf(samples), {
    cpuShare: 1,
    peakShare: 2,
    memory: MOST_SAMPLES,
    peakMemory: MOST_SAMPLES,
  })
  assert.deepEqual(extremesOf([]), { cpuShare: undefined, peakShare: 0, memory: 0, peakMemory: 0 })
})
