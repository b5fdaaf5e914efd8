import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownCpuMicros } from './own-cpu.ts'

test('the processor time of a process is what it says itself, without that of its children', () => {
  const before = { told: process.cpuUsage(), measured: ownCpuMicros(process.pid) }
  const end = performance.now() + 100
  while (performance.now() < end);
  const told = process.cpuUsage(before.told)
  const measured = ownCpuMicros(process.pid) - before.measured
  const difference = Math.abs(measured - (told.user + told.system))
  // The system counts both in the same way; between the two calls goes a moment.
  assert.ok(difference < (told.user + told.system) / 2, `${measured} µs, told ${told.user + told.system} µs`)
})

test('one that is gone has none', () => {
  assert.throws(() => ownCpuMicros(2 ** 22 + 1), /gone/)
})
