import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_USAGE } from '../../../lib/process/types.ts'
import { usageOfExit } from '../../../lib/process/usage-of-exit.ts'

const status = { exitCode: 0, signal: 0, coreDumped: false }

test('the end of a process tells its CPU time, and what disks did for it where the system counts that', () => {
  const cpu = { user: 0.1, system: 0.2 }
  assert.deepEqual(usageOfExit({ status, cpu }), { ...NO_USAGE, cpu: 0.3 })
  const io = { readBytes: 0, writtenBytes: 4096 }
  assert.deepEqual(usageOfExit({ status, cpu, io }), { ...NO_USAGE, cpu: 0.3, ...io })
})

test('a CPU time that was not told is not known, for none at all is never true', () => {
  assert.deepEqual(usageOfExit({ status, cpu: { user: 0, system: 0 } }), NO_USAGE)
})
