import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { createTurns } from '../../../../lib/process/linux/turns.ts'

/** Work that tells when it begins, and ends when the test says so. */
const createWork = () => {
  const begun: string[] = []
  const ends = new Map<string, PromiseWithResolvers<string>>()
  return {
    begun,
    named(name: string): () => Promise<string> {
      ends.set(name, Promise.withResolvers())
      return () => {
        begun.push(name)
        return ends.get(name)!.promise
      }
    },
    end: (name: string): void => ends.get(name)!.resolve(name),
    fail: (name: string): void => ends.get(name)!.reject(new Error(name)),
  }
}

test('what is asked while nobody has the turn begins before the call returns', async () => {
  const turns = createTurns()
  const work = createWork()
  const first = turns.run(work.named('1'))
  assert.deepEqual(work.begun, ['1'])
  work.end('1')
  assert.equal(await first, '1')

  const second = turns.run(work.named('2'))
  assert.deepEqual(work.begun, ['1', '2'])
  work.end('2')
  assert.equal(await second, '2')
})

test('work waits for the end of the work before it, and takes its turn in the order of asking', async () => {
  const turns = createTurns()
  const work = createWork()
  const names = ['1', '2', '3', '4']
  const runs = names.map(name => turns.run(work.named(name)))
  for (const [index, name] of names.entries()) {
    await setImmediate()
    assert.deepEqual(work.begun, names.slice(0, index + 1))
    work.end(name)
  }
  assert.deepEqual(await Promise.all(runs), names)
})

test('work that rejects, or throws at once, is told to whoever asked, and passes its turn on', async () => {
  const turns = createTurns()
  const work = createWork()
  const rejected = turns.run(work.named('rejects'))
  const thrown = turns.run(() => {
    work.begun.push('throws')
    throw new Error('throws')
  })
  const last = turns.run(work.named('last'))
  work.fail('rejects')
  await assert.rejects(rejected, new Error('rejects'))
  await assert.rejects(thrown, new Error('throws'))
  work.end('last')
  assert.equal(await last, 'last')
  assert.deepEqual(work.begun, ['rejects', 'throws', 'last'])

  const afterwards = turns.run(work.named('afterwards'))
  assert.equal(work.begun.at(-1), 'afterwards')
  work.end('afterwards')
  await afterwards
})

test('who asks at the moment when a turn passes on does not overtake', async () => {
  const turns = createTurns()
  const work = createWork()
  const nothing = Promise.resolve()
  const first = turns.run(() => nothing)
  const second = turns.run(work.named('second'))
  const third = nothing.then(() => turns.run(work.named('third')))
  await setImmediate()
  assert.deepEqual(work.begun, ['second'])
  work.end('second')
  work.end('third')
  await Promise.all([first, second, third])
  assert.deepEqual(work.begun, ['second', 'third'])
})

test('work that asks for a turn of its own gets it after all that asked before', async () => {
  const turns = createTurns()
  const order: string[] = []
  const say = (name: string) => async () => void order.push(name)
  let inner: Promise<void> | undefined
  const outer = turns.run(async () => {
    order.push('outer')
    await setImmediate()
    inner = turns.run(say('inner'))
  })
  await Promise.all([outer, turns.run(say('next'))])
  await inner
  assert.deepEqual(order, ['outer', 'next', 'inner'])
})

test('whenever each asks, however long it takes and however it ends: one at a time, in order, none left out', async () => {
  const loopTurns = fc.nat(3)
  const asked = fc.array(fc.record({ pause: loopTurns, length: loopTurns, fails: fc.boolean() }), {
    maxLength: 20,
  })
  await fc.assert(
    fc.asyncProperty(asked, async all => {
      const turns = createTurns()
      const order: number[] = []
      let running = 0
      const runs: Promise<PromiseSettledResult<number>[]>[] = []
      for (const [index, { pause, length, fails }] of all.entries()) {
        for (let left = pause; left > 0; left--) await setImmediate()
        const run = turns.run(async () => {
          order.push(index)
          assert.equal(++running, 1)
          for (let left = length; left > 0; left--) await setImmediate()
          running--
          if (fails) throw index
          return index
        })
        runs.push(Promise.allSettled([run]))
      }
      const results = (await Promise.all(runs)).flat()
      assert.deepEqual(
        order,
        all.map((_, index) => index),
      )
      for (const [index, { fails }] of all.entries()) {
        const expected = fails ? { status: 'rejected', reason: index } : { status: 'fulfilled', value: index }
        assert.deepEqual(results[index], expected)
      }
    }),
  )
})
