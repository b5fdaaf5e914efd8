import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOwnUse } from '../../runtime/own-use.ts'

const create = () => {
  const now = { user: 0, system: 0, uptimeMs: 0 }
  const use = createOwnUse({ cpuUsage: () => now, uptimeMs: () => now.uptimeMs })
  return { now, cpu: () => use().cpu }
}

test('processor time is told as a share since the call before, for the first since the start of the process', () => {
  const { now, cpu } = create()
  Object.assign(now, { user: 150_000, system: 50_000, uptimeMs: 1000 })
  assert.equal(cpu(), 0.2)
  Object.assign(now, { user: 150_000 + 7_500_000, system: 50_000 + 15_000_000, uptimeMs: 16_000 })
  assert.equal(cpu(), 1.5)
  now.uptimeMs += 15_000
  assert.equal(cpu(), 0)
})

test('two calls in the same moment, or a clock that goes back, give a number all the same', () => {
  const { now, cpu } = create()
  Object.assign(now, { user: 5000, system: 5000 })
  assert.equal(cpu(), 10)
  Object.assign(now, { user: 4000, uptimeMs: 1000 })
  assert.equal(cpu(), 0)
})

test('the memory is that of this process, the load that of the host', () => {
  const { residentBytes, load, cpu } = createOwnUse()()
  assert.ok(residentBytes > 10_000_000 && residentBytes < 10_000_000_000, String(residentBytes))
  assert.ok(load >= 0 && cpu > 0)
})
