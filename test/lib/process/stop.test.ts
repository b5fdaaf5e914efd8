import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { createNodeProcesses } from '../../../lib/process/node/node-processes.ts'
import { stopAll } from '../../../lib/process/stop.ts'
import type { Processes } from '../../../lib/process/types.ts'
import { linuxProcesses } from '../../support/linux-processes.ts'
import { findByText, type Known, know, lives } from '../../support/proc.ts'
import { type Started, startBash } from '../../support/run-process.ts'
import { shapes } from '../../support/shapes.ts'
import { waitFor } from '../../support/wait-for.ts'

const GRACE_MS = 300
/** Longer than a test may take: what ends within it has ended by TERM. */
const ENDLESS_GRACE_MS = 3_600_000

/** The signals that are meant to end a process, of those that a stop sends. */
const ENDING = new Set<NodeJS.Signals>(['SIGTERM', 'SIGKILL'])

/** Which shapes have a process that ends by KILL alone. */
const IGNORING_TERM = new Set([
  'a process that ignores TERM',
  'one that resets its limits, ignores TERM and outlives its parents',
])

/** Which shapes are found without marks: what stays in the group of the leader, or descends from it. */
const BEYOND_NODE = new Set([
  'a double fork with setsid',
  'a cleared environment, a double fork and no descriptors',
  'one that resets its limits, ignores TERM and outlives its parents',
  'a process whose first thread has ended',
])

const ready = (started: Started): Promise<unknown> =>
  waitFor('the job says that it is ready', () => started.stdout().includes('ready'))

const layers: [string, () => Processes][] = [
  ['posix_spawn', linuxProcesses],
  ['node:child_process', createNodeProcesses],
]

for (const [layer, create] of layers) {
  describe(`stopping processes started by ${layer}`, () => {
    const processes = create()
    let unique = Number(`${process.pid}${layer.length}`)

    for (const [index, [shape]] of shapes('').entries()) {
      const skip = layer !== 'posix_spawn' && BEYOND_NODE.has(shape)
      test(`${shape} is gone after a stop, ${IGNORING_TERM.has(shape) ? 'killed after its TERM' : 'by TERM alone'}`, {
        skip,
      }, async t => {
        const text = String(unique++)
        const [, command, count] = shapes(text)[index]!
        const odd = `/tmp/a) R 1 (b${text}`
        t.after(() => import('node:fs').then(fs => fs.rmSync(odd, { force: true })))
        const env = { PATH: process.env.PATH ?? '', T: odd }
        const started = await startBash(processes, command, { env })
        t.after(() => stopAll(processes, targetOf(started), 0))
        await ready(started)
        const found = await waitFor('its processes stand', () => {
          const all = findByText(text)
          return all.length >= count && all
        })
        const target = { marks: new Set([started.mark]), pid: started.pid }
        const { recording, signalsTo } = recordSignals(processes)
        const graceMs = IGNORING_TERM.has(shape) ? GRACE_MS : ENDLESS_GRACE_MS
        assert.deepEqual(await stopAll(recording, target, graceMs), [])
        assert.deepEqual(found.filter(lives), [])
        assert.deepEqual(findByText(text), [])
        await started.exited
        const ends = found.map(({ pid }) => signalsTo(pid).filter(name => ENDING.has(name)))
        for (const [first] of ends) assert.equal(first, 'SIGTERM')
        assert.equal(ends.flat().includes('SIGKILL'), IGNORING_TERM.has(shape))
      })
    }

    test('a process that ends at TERM may clean up within the grace period', async () => {
      const started = await startBash(
        processes,
        "trap 'sleep 0.1 && echo cleaned; exit 7' TERM; echo ready; while :; do sleep 0.02; done",
      )
      await ready(started)
      assert.deepEqual(await stopAll(processes, targetOf(started), 60_000), [])
      assert.equal((await started.exited).status.exitCode, 7)
      await started.outputClosed
      assert.equal(started.stdout(), 'ready\ncleaned\n')
    })

    test('a process that becomes another program at TERM is asked once', async () => {
      const cleanUp = `trap "echo again" TERM; sleep 0.2 & wait $!; wait $!; echo cleaned`
      const program = `trap 'exec sh -c "$0"' TERM; echo ready; while :; do sleep 0.02; done`
      const started = await startBash(processes, '', { args: ['-c', program, cleanUp] })
      await ready(started)
      assert.deepEqual(await stopAll(processes, targetOf(started), 60_000), [])
      await started.outputClosed
      assert.equal(started.stdout(), 'ready\ncleaned\n')
    })

    test('a process that is stopped before it is ready ends by TERM, with what it has just forked', async () => {
      const text = String(unique++)
      for (let round = 0; round < 100; round++) {
        const started = await startBash(processes, `echo a; sleep 1000.${text} & wait`)
        assert.deepEqual(await stopAll(processes, targetOf(started), ENDLESS_GRACE_MS), [])
        assert.equal((await started.exited).status.signal, 15)
      }
      assert.deepEqual(findByText(text), [])
    })

    test('without a grace period nothing gets the chance to clean up', async () => {
      const started = await startBash(
        processes,
        "trap 'echo cleaned' TERM; echo ready; while :; do sleep 0.02; done",
      )
      await ready(started)
      assert.deepEqual(await stopAll(processes, targetOf(started), 0), [])
      assert.equal((await started.exited).status.signal, 9)
      await started.outputClosed
      assert.equal(started.stdout(), 'ready\n')
    })

    test('other jobs, and processes that are no job, are not touched', async t => {
      const innocent = await startBash(processes, 'echo ready; exec sleep 1000')
      const stranger = spawn('sleep', ['1000'], { stdio: 'ignore' })
      t.after(async () => {
        stranger.kill('SIGKILL')
        await stopAll(processes, targetOf(innocent), 0)
      })
      await ready(innocent)
      const bystanders: Known[] = [know(innocent.pid), know(stranger.pid!)]
      const started = await startBash(processes, 'echo ready; exec sleep 1000')
      await ready(started)
      await stopAll(processes, targetOf(started), GRACE_MS)
      await started.exited
      assert.deepEqual(bystanders.filter(lives), bystanders)
    })
  })
}

/** The same processes, and which signals were sent to whom, in order. */
const recordSignals = (processes: Processes) => {
  const sent: [pid: number, name: NodeJS.Signals][] = []
  const recording: Processes = {
    ...processes,
    signal(one, name) {
      sent.push([one.pid, name])
      return processes.signal(one, name)
    },
  }
  const signalsTo = (pid: number) => sent.filter(([to]) => to === pid).map(([, name]) => name)
  return { recording, signalsTo }
}

const targetOf = ({ mark, pid }: Started) => ({ marks: new Set([mark]), pid })

describe('the mark', () => {
  const processes = linuxProcesses()

  test('no ordinary limit is taken for a mark, whatever a target says', async () => {
    for (const marks of [new Set([0]), new Set([1024]), new Set<number>()]) {
      assert.deepEqual(await processes.find({ marks, pid: 0 }), [])
    }
    const capped = await startBash(processes, 'ulimit -S -x 1024; echo ready; exec sleep 1000')
    await ready(capped)
    assert.deepEqual(await processes.find({ marks: new Set([1024]), pid: 0 }), [])
    process.kill(capped.pid, 'SIGKILL')
    await capped.exited
  })

  test('a process is not signaled when its start time is another, or its mark', async t => {
    const started = await startBash(processes, 'echo ready; exec sleep 1000')
    t.after(() => stopAll(processes, targetOf(started), 0))
    await ready(started)
    const [found] = await processes.find(targetOf(started))
    assert.equal(found?.pid, started.pid)
    const later = { ...found, startTime: found.startTime + 1 }
    assert.equal(processes.signal(later, 'SIGKILL'), 'gone')
    assert.equal(processes.signal({ ...found, mark: processes.newMark() }, 'SIGKILL'), 'gone')
    assert.ok(lives(know(started.pid)))
  })

  test('a storm of forks is stopped to the last process', async () => {
    const text = `${process.pid}777`
    const storm = `f() { sleep 1000.${text} & if [ $1 -gt 0 ]; then f $(($1 - 1)) & f $(($1 - 1)) & fi; wait; }; f 7`
    const started = await startBash(processes, storm)
    await waitFor('hundreds of processes stand', () => findByText(text).length > 200)
    assert.deepEqual(await stopAll(processes, targetOf(started), 0), [])
    await started.exited
    assert.deepEqual(findByText(text), [])
  })

  test('the marks of many jobs are found in one look', async () => {
    const started = await Promise.all(
      Array.from({ length: 10 }, () => startBash(processes, 'echo ready; exec sleep 1000')),
    )
    await Promise.all(started.map(ready))
    const target = { marks: new Set(started.map(({ mark }) => mark)), pid: 0 }
    const found = await processes.find(target)
    assert.deepEqual(found.map(({ pid }) => pid).sort(), started.map(({ pid }) => pid).sort())
    assert.deepEqual(await stopAll(processes, target, 0), [])
    await Promise.all(started.map(({ exited }) => exited))
  })
})
