import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createView } from '../../../../runtime/console/output/view.ts'
import { waitFor } from '../../../support/wait-for.ts'
import { chunk, outputOf } from './feed-output.ts'

test('what is asked for is looked for at once, and in what comes later', async t => {
  const output = await outputOf([chunk('stdout', 'a\nb\n'.repeat(50_000))])
  const { search } = createView(output)
  t.after(search.keepLooking())
  search.ask('A')
  await waitFor('all of it', () => search.search.value?.count('both') === 50_000)
  await output.feed(chunk('stderr', 'a'))
  await waitFor('the new one', () => search.search.value?.count('both') === 50_001)
  search.ask('b')
  await waitFor('another text', () => search.search.value?.count('both') === 50_000)
  assert.equal(search.search.value?.query, 'b')
})

test('one goes from hit to hit, beginning at the first row that is seen', async t => {
  const output = await outputOf([chunk('stdout', 'x\nx\nx\n')])
  const view = createView(output)
  t.after(view.search.keepLooking())
  view.search.ask('x')
  view.onTopRow(1)
  view.nextHit()
  assert.equal(view.target.value?.row, 1)
  view.nextHit()
  assert.equal(view.target.value?.row, 2)
  view.previousHit()
  view.previousHit()
  assert.equal(view.search.current.value?.row, 0)
  view.search.ask('')
  assert.equal(view.search.current.value, undefined)
})
