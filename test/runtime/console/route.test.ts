import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobAddress, parseRoute } from '../../../runtime/console/route.ts'

const ID = '01a21b5b19a770078b7d59349b156fbd'

test('the list of jobs is where one is without an address, and it keeps its filter', () => {
  for (const hash of ['', '#', '#/', '#/jobs', '#jobs', '#/jobs?']) {
    const route = parseRoute(hash)
    assert.deepEqual([route.page, 'filter' in route && route.filter.size], ['jobs', 0], hash)
  }
  const filtered = parseRoute('#/jobs?state=failed&q=a%3Fb')
  assert.ok(filtered.page === 'jobs')
  assert.deepEqual(
    [...filtered.filter],
    [
      ['state', 'failed'],
      ['q', 'a?b'],
    ],
  )
})

test('each page has its address', () => {
  assert.deepEqual(parseRoute(jobAddress(ID)), { page: 'job', id: ID })
  assert.deepEqual(parseRoute('#/run'), { page: 'run', from: undefined })
  assert.deepEqual(parseRoute(`#/run?from=${ID}`), { page: 'run', from: ID })
  assert.deepEqual(parseRoute('#/agent'), { page: 'agent' })
})

test('a job is also found by four digits and more of what its id begins with', () => {
  assert.deepEqual(parseRoute(`#/jobs/${ID.toUpperCase()}`), { page: 'job', id: ID })
  for (const id of [ID.slice(0, 4), ID.slice(0, 12), ID.slice(0, 31)])
    assert.deepEqual(parseRoute(`#/jobs/${id}`), { page: 'job', id })
})

test('what is no address of a page is told to be none', () => {
  const odd = ['nope', 'Jobs', `jobs/${ID}/output`, 'run/x', 'agent/', 'agent/x', '//jobs']
  const ids = ['', 'x', '..', ID.slice(0, 3), `${ID}0`, `${ID}%0a`]
  for (const path of [...odd, ...ids.map(id => `jobs/${id}`)])
    assert.deepEqual(parseRoute(`#/${path}`), { page: 'unknown' }, path)
})
