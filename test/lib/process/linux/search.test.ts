import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { after, test } from 'node:test'
import { allPids, readLiving } from '../../../../lib/process/linux/proc.ts'
import { createSearch } from '../../../../lib/process/linux/search.ts'
import { waitFor } from '../../../support/wait-for.ts'

const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** A shell of its own session that has two children; resolves with all three pids, its own first. */
const family = async (): Promise<[leader: number, ...number[]]> => {
  const child = spawn('bash', ['-c', 'sleep 1000 & setsid sleep 1000 & echo $!; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  children.push(child)
  const kin = await waitFor('it has two children that sleep', () => {
    const found = allPids().filter(pid => readLiving(pid)?.parent === child.pid)
    return found.length === 2 && found.every(pid => readLiving(pid)?.command === 'sleep') && found
  })
  for (const pid of kin) after(() => process.kill(pid, 'SIGKILL'))
  return [child.pid!, ...kin]
}

const pidsOf = (found: { pid: number }[]): number[] => found.map(({ pid }) => pid).sort((a, b) => a - b)

/** Processes bear the marks that the test says. */
const searchWith = (
  marks: Record<number, number>,
  held: number[] = [],
  members: () => number[] = () => [],
) => {
  let looks = 0
  const search = createSearch({
    mark: { read: pid => marks[pid] },
    reaper: { holds: pid => held.includes(pid) },
    members,
    pageBytes: 4096,
    listPids() {
      looks++
      return allPids()
    },
  })
  return { search, looks: () => looks }
}

test('many that ask at once are served by one look, those that ask during it by the next', async () => {
  const { search, looks } = searchWith({})
  const ask = () => search.find({ marks: new Set([1]), pid: 0 })
  await Promise.all(Array.from({ length: 100 }, ask))
  assert.ok(looks() <= 2, `${looks()} looks`)
  const before = looks()
  await ask()
  assert.equal(looks(), before + 1)
})

test('who bears the mark is found, and all that descends from it, but not what bears another mark', async () => {
  const [leader, first, second] = await family()
  const mine = searchWith({ [leader]: 7 })
  assert.deepEqual(
    pidsOf(await mine.search.find({ marks: new Set([7]), pid: 0 })),
    [leader, first!, second!].sort((a, b) => a - b),
  )
  const shared = searchWith({ [leader]: 7, [second!]: 8 })
  assert.deepEqual(
    pidsOf(await shared.search.find({ marks: new Set([7]), pid: 0 })),
    [leader, first!].sort((a, b) => a - b),
  )
})

test('without a mark the leader leads to its session, as long as it is not reaped', async () => {
  const [leader, ...kin] = await family()
  const held = searchWith({}, [leader])
  const all = [leader, ...kin].sort((a, b) => a - b)
  assert.deepEqual(pidsOf(await held.search.find({ marks: new Set([7]), pid: leader })), all)
  const reaped = searchWith({})
  assert.deepEqual(await reaped.search.find({ marks: new Set([7]), pid: leader }), [])
})

test('what was found before counts as long as it lives, and not when its pid is another’s', async () => {
  const [, first] = await family()
  const { search } = searchWith({ [first!]: 7 })
  const [known] = await search.find({ marks: new Set([7]), pid: 0 })
  const unmarked = searchWith({}).search
  assert.deepEqual(pidsOf(await unmarked.find({ marks: new Set([7]), pid: 0 }, [known!])), [first])
  const later = { ...known!, startTime: known!.startTime + 1 }
  assert.deepEqual(await unmarked.find({ marks: new Set([7]), pid: 0 }, [later]), [])
})

test('who only tells of processes is served by a look of a moment ago', async () => {
  const { search, looks } = searchWith({})
  const target = { marks: new Set([1]), pid: 0 }
  await search.find(target)
  const before = looks()
  await search.find(target, [], 60_000)
  assert.equal(looks(), before)
  await search.find(target)
  assert.equal(looks(), before + 1)
})

test('what is in the group of a job is found whatever mark it bears, but neither this process nor one that is gone', async () => {
  const [leader, first] = await family()
  const { search } = searchWith({ [leader]: 7, [first!]: 8 }, [], () => [first!, process.pid, 2, 4_000_000])
  const found = pidsOf(await search.find({ marks: new Set([9]), pid: 0 }))
  assert.deepEqual(found, [first!])
})
