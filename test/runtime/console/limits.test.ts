import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMIT_RANGES } from '../../../lib/jobs/limits.ts'
import { exactLimit, LIMIT_NAMES, LIMITS, shownLimit } from '../../../runtime/console/limits.ts'

test('the console knows each limit of the agent, and which of them are sizes', () => {
  const sizes = (names: string[], isSize: (name: never) => boolean) =>
    Object.fromEntries(names.toSorted().map(name => [name, isSize(name as never)]))
  assert.deepEqual(
    sizes(LIMIT_NAMES, name => LIMITS[name as keyof typeof LIMITS].isSize),
    sizes(
      Object.keys(LIMIT_RANGES),
      name => LIMIT_RANGES[name as keyof typeof LIMIT_RANGES].kind === 'bytes',
    ),
  )
})

test('a limit is written exactly where it is asked for again, and short where it is shown', () => {
  assert.deepEqual([exactLimit('fileSize', 1000), exactLimit('memory', 3 * 1024 ** 2)], ['1000b', '3mb'])
  assert.deepEqual([shownLimit('fileSize', 1500), shownLimit('cpus', 1.5)], ['1.5 KB', '1.5'])
})
