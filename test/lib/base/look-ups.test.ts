import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLookUps } from '../../../lib/base/look-ups.ts'

/** Look-ups that end when they are told to. */
const slowLookUps = (longestMs = 60_000) => {
  const begun: string[] = []
  const ends = new Map<string, (found: string) => void>()
  const lookUps = createLookUps(
    (user, group) => {
      const name = group === undefined ? user : `${user}:${group}`
      begun.push(name)
      return new Promise<string>(resolve => ends.set(name, resolve))
    },
    { mostAtOnce: 2, longestMs, noAnswer: () => new Error('no answer') },
  )
  return { ...lookUps, begun, end: (name: string) => ends.get(name)!(`found ${name}`) }
}

const turn = () => new Promise(resolve => setImmediate(resolve))
const NO_ANSWER = { message: 'no answer' }

test('only so many look-ups run at a time, the others in the order in which they were asked for', async () => {
  const { find, begun, end } = slowLookUps()
  const found = ['a', 'b', 'c', 'd'].map(name => find(name))
  await turn()
  assert.deepEqual(begun, ['a', 'b'])
  end('b')
  assert.equal(await found[1], 'found b')
  assert.deepEqual(begun, ['a', 'b', 'c'])
  end('a')
  await turn()
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  end('c')
  end('d')
  assert.deepEqual(await Promise.all(found), ['found a', 'found b', 'found c', 'found d'])
})

test('who asks for the same shares the answer, and later another one is looked up', async () => {
  const { find, begun, end, isAsking } = slowLookUps()
  const both = [find('a', 'g'), find('a', 'g')]
  await turn()
  assert.deepEqual([begun, isAsking()], [['a:g'], true])
  end('a:g')
  assert.deepEqual(await Promise.all(both), ['found a:g', 'found a:g'])
  assert.ok(!isAsking())
  const again = find('a', 'g')
  end('a:g')
  await again
  assert.equal(begun.length, 2)
})

test('who has waited for too long is refused, and what never began is not begun for nobody', async () => {
  const { find, begun, end } = slowLookUps(20)
  const hung = [find('a'), find('b'), find('c')]
  for (const one of hung) await assert.rejects(one, NO_ANSWER)
  // Asked for again, what hangs is not asked for a second time.
  await assert.rejects(find('a'), NO_ANSWER)
  end('a')
  await turn()
  assert.deepEqual(begun, ['a', 'b'])
  const next = find('d')
  end('d')
  assert.equal(await next, 'found d')
  assert.deepEqual(begun, ['a', 'b', 'd'])
})

test('a look-up that fails is an error to who asks, and makes room for the next', async () => {
  const lookUps = createLookUps<string>(() => Promise.reject(new Error('EIO')), {
    mostAtOnce: 1,
    longestMs: 60_000,
    noAnswer: () => new Error('no answer'),
  })
  for (const name of ['a', 'b', 'a']) await assert.rejects(lookUps.find(name), { message: 'EIO' })
  assert.ok(!lookUps.isAsking())
})
