import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { GroupLimits } from '../../../../../lib/process/linux/cgroup/group-files.ts'
import { type Hierarchy, readHierarchies } from '../../../../../lib/process/linux/cgroup/hierarchies.ts'
import { createJobGroups } from '../../../../../lib/process/linux/cgroup/job-groups.ts'
import { openTrees } from '../../../../../lib/process/linux/cgroup/trees.ts'
import { scratchDirectory } from '../../../../support/scratch.ts'
import { waitFor } from '../../../../support/wait-for.ts'

const MARK = 2 ** 51 + 7

/** Files as a group of version 2 has them; nothing is kept by them. */
const version2 = (processes: number[], jobs: string[] = ['memory.max', 'cpu.max', 'pids.max']): Hierarchy => {
  const directory = scratchDirectory()
  mkdirSync(join(directory, 'jobs'))
  for (const file of ['cgroup.subtree_control', 'cgroup.type']) writeFileSync(join(directory, file), '')
  writeFileSync(join(directory, 'cgroup.procs'), processes.join('\n'))
  for (const file of jobs) writeFileSync(join(directory, 'jobs', file), 'max')
  return { version: 2, directory, controllers: new Set(['cpu', 'memory', 'pids']) }
}

const open = (hierarchy: Hierarchy) =>
  openTrees({ name: 'unused', isDelegated: () => true, hierarchies: [hierarchy] })

/** The groups of jobs, within limits for all of them. */
const groupsOf = (hierarchy: Hierarchy, all: GroupLimits = {}) => {
  const groups = createJobGroups(open(hierarchy))
  groups.limitAll(all)
  return groups
}

describe('a group of version 2', () => {
  const read = (...path: string[]) => readFileSync(join(...path), 'utf8')

  test('is divided: the agent goes below, what it has goes to jobs', () => {
    const hierarchy = version2([process.pid])
    const { support, trees } = open(hierarchy)
    const { directory } = hierarchy
    assert.equal(read(directory, 'agent/cgroup.procs'), String(process.pid))
    assert.equal(read(directory, 'cgroup.subtree_control'), '+pids')
    assert.equal(read(directory, 'jobs/cgroup.subtree_control'), '+pids')
    assert.deepEqual([support.memory, support.cpus, support.processes], Array(3).fill({ by: 'cgroup-v2' }))
    assert.ok('missing' in support.ioWeight)
    assert.equal(trees.length, 1)
  })

  test('a limit whose file is not there is missing, and says what is', () => {
    const { support } = open(version2([], ['memory.max']))
    assert.deepEqual(support.cpus, { missing: 'this system has no cgroup with the controller cpu' })
    assert.deepEqual(support.memory, { by: 'cgroup-v2' })
  })

  test('others are not moved out of it', { skip: existsSync('/run/systemd/system') }, () => {
    const hierarchy = version2([process.pid, 1, 2])
    const { support } = open(hierarchy)
    assert.deepEqual(support.memory, {
      missing: `other processes are in the agent's cgroup ${hierarchy.directory}`,
    })
    assert.deepEqual(readdirSync(hierarchy.directory).sort(), [
      'cgroup.procs',
      'cgroup.subtree_control',
      'cgroup.type',
      'jobs',
    ])
  })

  test('one without a controller that is of use stays as it is', () => {
    const hierarchy = { ...version2([process.pid]), controllers: new Set(['hugetlb']) }
    const { trees, support } = open(hierarchy)
    assert.deepEqual(trees, [])
    assert.deepEqual(support.memory, { missing: 'this system has no cgroup with the controller memory' })
    assert.ok(!existsSync(join(hierarchy.directory, 'agent')))
  })

  test('all jobs together have the limits of now, not those of before', () => {
    const hierarchy = version2([process.pid])
    groupsOf(hierarchy, { memory: 1e8, processes: 50 })
    const now = () =>
      ['memory.max', 'pids.max', 'cpu.max'].map(file => read(hierarchy.directory, 'jobs', file))
    assert.deepEqual(now(), ['100000000', '50', 'max 100000'])
    groupsOf(hierarchy, { cpus: 2 })
    assert.deepEqual(now(), ['max', 'max', '200000 100000'])
    groupsOf(hierarchy)
    assert.deepEqual(now(), ['max', 'max', 'max 100000'])
  })

  test('a job has a group, which is killed as a whole and released', async () => {
    const hierarchy = version2([process.pid])
    const groups = groupsOf(hierarchy)
    const group = join(hierarchy.directory, 'jobs', `job-${MARK}`)
    assert.deepEqual(await groups.create(MARK, { memory: 5e6, cpus: 0.25, processes: 9 }), [
      join(group, 'cgroup.procs'),
    ])
    assert.deepEqual(
      ['memory.max', 'cpu.max', 'pids.max'].map(file => read(group, file)),
      ['5000000', '25000 100000', '9'],
    )
    mkdirSync(join(group, 'below'))
    writeFileSync(join(group, 'cgroup.procs'), '11\n12\n')
    writeFileSync(join(group, 'below/cgroup.procs'), '13\n0\n')
    assert.deepEqual(groups.members(new Set([MARK])), [11, 12, 13])
    assert.deepEqual(groups.members(new Set([MARK + 1])), [])
    await groups.kill(new Set([MARK]))
    assert.ok(!existsSync(join(group, 'cgroup.kill')), 'only where the kernel has it')
    writeFileSync(join(group, 'cgroup.kill'), '')
    await groups.kill(new Set([MARK]))
    assert.equal(read(group, 'cgroup.kill'), '1')
    writeFileSync(join(group, 'memory.events'), 'oom_kill 1\n')
    assert.ok(groups.wasOutOfMemory(MARK))
    groups.release(MARK)
    assert.ok(!groups.wasOutOfMemory(MARK))
    groups.close()
  })

  test('a group without a limit for all is not asked for by a job without one', () => {
    const hierarchy = version2([process.pid])
    const none = groupsOf(hierarchy)
    assert.deepEqual(
      [none.areNeeded(), none.areNeeded({ nice: 1 } as GroupLimits), none.areNeeded({ cpus: 1 })],
      [false, false, true],
    )
    const all = groupsOf(hierarchy, { cpus: 1 })
    assert.ok(all.areNeeded())
  })
})

const first = readHierarchies().find(({ version, controllers }) => version === 1 && controllers.has('memory'))
const name = `newdt-auto-test-trees-${process.pid}`
const base = join(first?.directory ?? '', name)
const openFirst = (all: GroupLimits) => {
  const trees = openTrees({ name, isDelegated: () => true })
  const groups = createJobGroups(trees)
  groups.limitAll(all)
  return { trees, groups }
}
const canUse = first !== undefined && 'by' in openTrees({ name, isDelegated: () => true }).support.memory

describe('groups of version 1', { skip: !canUse && 'needs one that may be written' }, () => {
  const limit = () => readFileSync(join(base, 'memory.limit_in_bytes'), 'utf8').trim()

  test('an agent that was killed leaves no limit to the next, whatever that one sets', t => {
    // Only the last one is closed.
    openFirst({ memory: 64 << 20, processes: 20, cpus: 0.5 })
    assert.equal(limit(), String(64 << 20))
    openFirst({ memory: 128 << 20 })
    assert.equal(limit(), String(128 << 20))
    openFirst({ memory: 32 << 20 })
    assert.equal(limit(), String(32 << 20))
    const { groups } = openFirst({})
    assert.ok(Number(limit()) > 2 ** 60, limit())
    t.after(groups.close)
  })

  test('what lives in it and uses more is told of when all jobs together are to have less', async t => {
    const earlier = openFirst({})
    const joins = await earlier.groups.create(MARK, { memory: 512 << 20, cpus: 2 })
    const child = spawn('sh', [
      '-c',
      'for group; do echo 0 > "$group"; done; exec python3 -c "x = bytearray(64 << 20); print(1, flush=True); input()"',
      'x',
      ...joins,
    ])
    t.after(async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
      await waitFor('the groups are empty', () => {
        earlier.groups.close()
        return !existsSync(base)
      })
    })
    await once(child.stdout, 'data')
    earlier.groups.release(MARK)
    // Less of the processors is no fault of anybody: it has what there is.
    openFirst({ cpus: 0.5 })
    assert.throws(
      () => openFirst({ memory: 16 << 20 }),
      ({ message }: Error) =>
        message.includes(`${base}/memory.limit_in_bytes: EBUSY`) &&
        message.includes(`live in it: ${child.pid}`),
    )
  })

  test('what a crash has left is removed at the start, what is no job’s is not', async () => {
    mkdirSync(join(base, `job-${MARK}`), { recursive: true })
    mkdirSync(join(base, 'other'))
    const { groups } = openFirst({})
    await waitFor('the group is gone', () => !existsSync(join(base, `job-${MARK}`)))
    assert.ok(existsSync(join(base, 'other')))
    rmdirSync(join(base, 'other'))
    groups.close()
    assert.ok(!existsSync(base))
  })
})
