import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListedJob } from '../../../../lib/client/client.ts'
import { createRowGroups } from '../../../../runtime/console/jobs/row-groups.ts'
import { lifeOf } from './listed-job.ts'

test('what did not change is the same element, so that it is not drawn anew', () => {
  const created: ListedJob[] = []
  const groupOf = createRowGroups(job => {
    created.push(job)
    return { props: job }
  })
  const [one, two] = [lifeOf(1), lifeOf(2)]
  const jobs = [two.started, one.ended]
  const group = groupOf('ended', jobs)
  assert.equal(groupOf('ended', jobs), group)
  assert.notEqual(groupOf('ended', [two.ended, one.ended]), group)
  assert.deepEqual(created, [two.started, one.ended, two.ended])
})
