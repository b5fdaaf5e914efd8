import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientError, type JobQuery } from '../../../../lib/client/client.ts'
import { readList } from '../../../../runtime/console/jobs/read-list.ts'
import { idOf, lifeOf } from './listed-job.ts'

const { signal } = new AbortController()

/** An agent with so many jobs, of which it gives 200 at most. */
const createAgent = (count: number) => {
  const jobs = Array.from({ length: count }, (_, number) => lifeOf(count - 1 - number).ended)
  const queries: JobQuery[] = []
  return {
    queries,
    async list(query: JobQuery = {}) {
      queries.push(query)
      assert.ok(Number(query.limit) >= 1 && Number(query.limit) <= 200)
      const older = jobs.filter(({ id }) => id < String(query.before ?? 'g'))
      return { ok: true as const, value: older.slice(0, Number(query.limit)) }
    },
  }
}

const read = async (agent: ReturnType<typeof createAgent>, least: number, before?: string) => {
  const result = await readList(agent, { caller: 'alice' }, { least, before, signal })
  assert.ok(result.ok)
  const numbers = result.value.jobs.map(({ id }) => Number.parseInt(id, 16))
  return { numbers, next: result.value.next }
}
const down = (from: number, to: number): number[] =>
  Array.from({ length: from - to }, (_, at) => from - 1 - at)

test('as many are read as are asked for, in pages as large as the agent gives them', async () => {
  const agent = createAgent(1000)
  const { numbers, next } = await read(agent, 470)
  assert.deepEqual(numbers, down(1000, 530))
  assert.equal(next, idOf(530))
  assert.deepEqual(agent.queries, [
    { caller: 'alice', limit: 200 },
    { caller: 'alice', limit: 200, before: idOf(800) },
    { caller: 'alice', limit: 70, before: idOf(600) },
  ])
})

test('a page is not so small that it is not worth being asked for', async () => {
  const agent = createAgent(1000)
  assert.deepEqual((await read(agent, 201)).numbers, down(1000, 750))
  assert.deepEqual((await read(agent, 1)).numbers, down(1000, 950))
})

test('it goes on before the id that is given, and ends where there are no more', async () => {
  const agent = createAgent(300)
  assert.deepEqual(await read(agent, Number.POSITIVE_INFINITY, idOf(250)), {
    numbers: down(250, 0),
    next: undefined,
  })
  assert.equal(agent.queries.length, 2)
})

test('what the agent refuses is told, and nothing more is asked', async () => {
  const error = new ClientError('not-allowed', 'this caller may not read', { status: 403 })
  let count = 0
  const list = async () => {
    count++
    return { ok: false as const, error }
  }
  assert.deepEqual(await readList({ list }, {}, { least: 500, signal }), { ok: false, error })
  assert.equal(count, 1)
})
