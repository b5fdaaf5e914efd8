import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ListedJob } from '../../../../lib/client/client.ts'
import {
  allJobs,
  countEnded,
  findJob,
  type JobChange,
  keepJobs,
  keepNewest,
  mergeJobs,
  NO_JOBS,
  type Sections,
  sealLast,
} from '../../../../runtime/console/jobs/sections.ts'
import { idOf, lifeOf } from './listed-job.ts'

const LIVES = Array.from({ length: 400 }, (_, number) => lifeOf(number))
const wanted = (job: ListedJob): JobChange => ({ job, isWanted: true })
const endedOnes = (numbers: readonly number[]): JobChange[] =>
  numbers.map(number => wanted(LIVES[number]!.ended))
const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

const change = fc.record({
  job: fc.nat({ max: LIVES.length - 1 }).chain(number => fc.constantFrom(...Object.values(LIVES[number]!))),
  isWanted: fc.boolean(),
})
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(change, { maxLength: 60 }).map(changes => ({ changes })) },
  { weight: 1, arbitrary: fc.constant({ seal: true }) },
  { weight: 1, arbitrary: fc.nat({ max: 9 }).map(digit => ({ digit })) },
)

test('running jobs come first, then the others, each once and newest first, whatever comes in whatever order', () => {
  const progress = ({ state, pid }: ListedJob): number => (state !== 'running' ? 2 : pid === 0 ? 0 : 1)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), steps => {
      const model = new Map<string, ListedJob>()
      let sections = NO_JOBS
      for (const one of steps) {
        if ('seal' in one) sections = sealLast(sections)
        else if ('digit' in one) {
          const isKept = ({ id }: ListedJob) => Number.parseInt(id, 16) % 10 !== one.digit
          sections = keepJobs(sections, isKept)
          for (const job of [...model.values()]) if (!isKept(job)) model.delete(job.id)
        } else {
          sections = mergeJobs(sections, one.changes)
          for (const { job, isWanted } of one.changes) {
            const known = model.get(job.id)
            if (known && progress(job) <= progress(known)) continue
            if (isWanted) model.set(job.id, job)
            else model.delete(job.id)
          }
        }
        const sorted = [...model.values()].sort((a, b) => (a.id < b.id ? 1 : -1))
        const expected = [
          ...sorted.filter(({ state }) => state === 'running'),
          ...sorted.filter(({ state }) => state !== 'running'),
        ]
        assert.deepEqual(
          allJobs(sections).map(({ id, state, pid }) => [id, state, pid]),
          expected.map(({ id, state, pid }) => [id, state, pid]),
        )
        for (const job of expected) assert.equal(findJob(sections, job.id), job)
        assert.equal(findJob(sections, idOf(9999)), undefined)
        assert.equal(new Set(sections.chunks.map(({ key }) => key)).size, sections.chunks.length)
      }
    }),
  )
})

const keysAndJobs = ({ chunks }: Sections) => new Map(chunks.map(({ key, jobs }) => [key, jobs]))

test('a change leaves all groups but its own as they were', () => {
  const before = mergeJobs(NO_JOBS, endedOnes(upTo(350)))
  assert.ok(before.chunks.length > 3)
  const after = mergeJobs(before, endedOnes([360]))
  const known = keysAndJobs(before)
  const changed = after.chunks.filter(({ key, jobs }) => known.get(key) !== jobs)
  assert.equal(changed.length, 1)
  assert.equal(after.running, before.running)
})

test('what is known already changes nothing', () => {
  const sections = mergeJobs(NO_JOBS, [...endedOnes([1, 2]), wanted(LIVES[3]!.started)])
  assert.equal(
    mergeJobs(sections, [...endedOnes([2]), wanted(LIVES[2]!.started), wanted(LIVES[3]!.created)]),
    sections,
  )
})

test('older jobs leave the groups of newer ones as they were', () => {
  const newer = mergeJobs(NO_JOBS, endedOnes(upTo(60).map(number => number + 100)))
  const both = mergeJobs(sealLast(newer), endedOnes(upTo(60)))
  assert.equal(both.chunks[0]!.jobs, newer.chunks[0]!.jobs)
  assert.equal(both.chunks[0]!.key, newer.chunks[0]!.key)
  assert.equal(countEnded(both), 120)
})

test('the newest are kept in whole groups, and older ones may come again', () => {
  const all = mergeJobs(NO_JOBS, [...endedOnes(upTo(350)), wanted(LIVES[360]!.started)])
  const kept = keepNewest(all, 120)
  assert.ok(countEnded(kept) >= 120 && countEnded(kept) < 250)
  assert.deepEqual(allJobs(kept), allJobs(all).slice(0, countEnded(kept) + 1))
  assert.equal(countEnded(mergeJobs(sealLast(kept), endedOnes(upTo(350)))), 350)
  assert.equal(keepNewest(all, 1000), all)
})
