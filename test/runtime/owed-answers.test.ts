import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createOwedAnswers, type OwedAnswer } from '../../runtime/owed-answers.ts'

type Answer = OwedAnswer

const create = (most: number) => {
  const cut: number[] = []
  const owed = createOwedAnswers(most, ({ connection }) => void cut.push(Number(connection)))
  let connections = 0
  /** On a connection of its own. */
  const ask = (caller: string, { client = caller, isRepeatable = true } = {}) => {
    const answer: Answer = { connection: `${connections++}`, caller, client, isRepeatable }
    return { answer, isAdded: owed.add(answer) !== undefined }
  }
  const askMany = (count: number, ...asked: Parameters<typeof ask>) =>
    Array.from({ length: count }, () => ask(...asked).isAdded)
  return { owed, cut, ask, askMany }
}

test('the oldest repeatable answer of a caller that has its share gives way to its next', () => {
  const { cut, askMany, ask } = create(10)
  ask('a', { isRepeatable: false })
  askMany(7, 'a')
  assert.deepEqual(cut, [])
  assert.deepEqual(askMany(2, 'a'), [true, true])
  assert.deepEqual(cut, [1, 2])
})

test('what a command came to is not cut off; then there is no room for another', () => {
  const { owed, cut, askMany, ask } = create(10)
  askMany(8, 'a', { isRepeatable: false })
  const { answer, isAdded } = ask('a', { isRepeatable: false })
  assert.deepEqual([isAdded, owed.has(answer.connection), cut], [false, false, []])
})

test('a caller to whom nothing is owed has room, whatever the others have', () => {
  const { cut, askMany, ask } = create(10)
  for (const caller of ['a', 'b', 'c', 'd']) askMany(12, caller, { isRepeatable: false })
  assert.equal(ask('admin', { client: 'a', isRepeatable: false }).isAdded, true)
  assert.deepEqual(cut, [])
})

test('where nothing is left, the caller that has most makes room, and none for one that has as many', () => {
  const { cut, askMany } = create(10)
  askMany(8, 'a')
  askMany(1, 'b', { isRepeatable: false })
  assert.deepEqual(cut, [])
  assert.deepEqual(askMany(5, 'b', { isRepeatable: false }), [true, true, true, true, false])
  assert.deepEqual(cut, [0, 1, 2, 3])
})

test('callers of one network have the share of one', () => {
  const { cut, ask } = create(10)
  for (let n = 0; n < 20; n++) ask(`${n % 2}`, { client: 'network' })
  assert.deepEqual(
    cut,
    Array.from({ length: 12 }, (_, n) => n),
  )
})

test('a request does not cut off the connection that it came on', () => {
  const { owed, cut } = create(10)
  const add = () => owed.add({ connection: '1', caller: 'a', client: 'a', isRepeatable: true }) !== undefined
  assert.deepEqual(
    Array.from({ length: 9 }, add).map((isAdded, n) => isAdded || n),
    [true, true, true, true, true, true, true, true, 8],
  )
  assert.deepEqual(cut, [])
  owed.removeAll('1')
  assert.deepEqual([owed.has('1'), add()], [false, true])
})

test('however answers come and go, callers alone have more than there are, by one each', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ caller: fc.nat(4), client: fc.nat(4), isRepeatable: fc.boolean(), end: fc.nat(9) }),
      ),
      steps => {
        const open = new Map<string, Answer & { settle(): void }>()
        const owed = createOwedAnswers(10, ({ connection }) => void open.delete(connection))
        for (const [step, { caller, client, isRepeatable, end }] of steps.entries()) {
          const connection = `${step}`
          const ended = end < 3 ? open.values().next().value : undefined
          ended?.settle()
          if (ended) open.delete(ended.connection)
          const answer = { connection, caller: `${caller}`, client: `${client}`, isRepeatable }
          const settle = owed.add(answer)
          if (settle) open.set(connection, { ...answer, settle })
          const callers = new Set([...open.values()].map(({ caller }) => caller))
          assert.ok(open.size <= 10 + callers.size)
          for (let n = 0; n <= step; n++) assert.equal(owed.has(`${n}`), open.has(`${n}`))
        }
      },
    ),
  ))

test('an answer that is over twice gives its share back once, and leaves the others of its connection', () => {
  const { owed, askMany } = create(10)
  const answer = { connection: 'c', caller: 'a', client: 'a', isRepeatable: false }
  const settle = owed.add(answer)
  owed.add(answer)
  settle?.()
  settle?.()
  assert.equal(owed.has('c'), true)
  // Eight are a share of ten; one of them is still there.
  assert.equal(askMany(12, 'a', { isRepeatable: false }).filter(Boolean).length, 7)
})

for (const holder of ['caller', 'client'] as const) {
  test(`what is over is no part of the share of its ${holder}`, () => {
    const { owed } = create(10)
    const add = (n: number) =>
      owed.add({ connection: `${n}`, caller: `${n}`, client: `${n}`, isRepeatable: false, [holder]: 'a' })
    for (let n = 0; n < 50; n++) add(n)?.()
    for (const connection of ['x', 'x', 'y'])
      owed.add({ connection, caller: connection, client: connection, isRepeatable: false, [holder]: 'a' })
    for (const connection of ['x', 'y']) owed.removeAll(connection)
    const fit = Array.from({ length: 12 }, (_, n) =>
      owed.add({ connection: `z${n}`, caller: 'a', client: 'a', isRepeatable: false }),
    )
    assert.equal(fit.filter(Boolean).length, 8)
  })
}

test('a connection on which one answer is not repeatable is not cut off for another', () => {
  const { owed, cut, askMany } = create(10)
  for (const isRepeatable of [true, false])
    owed.add({ connection: '1000', caller: 'a', client: 'a', isRepeatable })
  askMany(20, 'a')
  assert.equal(cut.includes(1000), false)
  assert.equal(owed.has('1000'), true)
})
