import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { weightFile, weightText } from '../../../../../lib/process/linux/cgroup/io-weight.ts'
import { VERSION_1 } from '../../../../../lib/process/linux/cgroup/version-1.ts'
import { VERSION_2 } from '../../../../../lib/process/linux/cgroup/version-2.ts'
import { scratchDirectory } from '../../../../support/scratch.ts'

/** A directory with these files. */
const groupWith = (files: Record<string, string>): string => {
  const group = scratchDirectory()
  for (const [file, text] of Object.entries(files)) writeFileSync(join(group, file), text)
  return group
}

test('version 2: each limit is a file, memory has no swap beside it, and dies as one', () => {
  assert.deepEqual(
    VERSION_2.settings({ memory: 64e6, cpus: 1.5, processes: 20 }).map(({ file, value }) => [file, value]),
    [
      ['memory.oom.group', '1'],
      ['memory.max', '64000000'],
      ['memory.swap.max', '0'],
      ['cpu.max', '150000 100000'],
      ['pids.max', '20'],
    ],
  )
})

test('version 1: memory comes before memory and swap, which may not be less', () => {
  assert.deepEqual(
    VERSION_1.settings({ memory: 64e6, cpus: 0.001, processes: 20 }).map(({ file, value }) => [file, value]),
    [
      ['memory.limit_in_bytes', '64000000'],
      ['memory.memsw.limit_in_bytes', '64000000'],
      ['cpu.cfs_period_us', '100000'],
      // The least that the kernel takes.
      ['cpu.cfs_quota_us', '1000'],
      ['pids.max', '20'],
    ],
  )
})

test('what a group tells is read, and what it does not tell is null', () => {
  const group = groupWith({
    'cpu.stat': 'usage_usec 1500000\nuser_usec 1\n',
    'memory.current': '4096\n',
    'io.stat': '8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2 rios=1\n',
    'memory.events': 'low 0\noom 3\noom_kill 2\noom_group_kill 1\n',
    'memory.max': 'max\n',
  })
  assert.deepEqual(VERSION_2.readUsage(group), {
    cpu: 1.5,
    memory: 4096,
    peakMemory: null,
    peakProcesses: null,
    readBytes: 11,
    writtenBytes: 22,
  })
  assert.equal(VERSION_2.countOutOfMemory(group), 2)
  assert.deepEqual(new Set(Object.values(VERSION_1.readUsage(group))), new Set([null]))
  assert.equal(VERSION_1.countOutOfMemory(group), 0)
})

test('so it is in version 1, which counts the disks a line a device and kind', () => {
  const group = groupWith({
    'cpuacct.usage': '2500000000\n',
    'memory.usage_in_bytes': '4096\n',
    'memory.max_usage_in_bytes': '8192\n',
    'pids.peak': '3\n',
    'blkio.throttle.io_service_bytes': '8:0 Read 10\n8:0 Write 20\n8:16 Read 1\n8:16 Write 2\nTotal 33\n',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
  })
  assert.deepEqual(VERSION_1.readUsage(group), {
    cpu: 2.5,
    memory: 4096,
    peakMemory: 8192,
    peakProcesses: 3,
    readBytes: 11,
    writtenBytes: 22,
  })
  assert.equal(VERSION_1.countOutOfMemory(group), 2)
})

test('a weight goes to the file of the scheduler that is in use, within what it takes', () => {
  const group = groupWith({ 'io.weight': '', 'io.bfq.weight': '', 'blkio.weight': '' })
  const none = { bfq: false, cfq: false, cost: false }
  assert.equal(weightFile(group, none), undefined)
  assert.equal(weightFile(group, { ...none, bfq: true }), 'io.bfq.weight')
  assert.equal(weightFile(group, { ...none, cost: true }), 'io.weight')
  assert.equal(weightFile(group, { ...none, cfq: true }), 'blkio.weight')
  assert.equal(weightText('io.weight', 10_000), 'default 10000')
  assert.equal(weightText('io.bfq.weight', 10_000), '1000')
  assert.equal(weightText('blkio.weight', 1), '10')
})
