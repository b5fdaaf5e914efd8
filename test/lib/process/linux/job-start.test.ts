import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createLinuxProcesses } from '../../../../lib/process/linux/linux-processes.ts'
import { StartError } from '../../../../lib/process/types.ts'
import { runBash, startBash } from '../../../support/run-process.ts'

const took: number[] = []
const times = { isLong: false }
const processes = createLinuxProcesses({
  startDurations: { add: ms => void took.push(ms), areLong: () => times.isLong },
})
after(() => processes.close())

const run = async (command: string): Promise<[stdout: string, exitCode: number]> => {
  const { stdout, status } = await runBash(processes, command)
  return [stdout, status.exitCode]
}

for (const isLong of [false, true]) {
  const where = isLong ? 'another thread' : 'the thread of the loop'

  test(`jobs that start side by side on ${where} have their own output and ends, and each start is timed`, async () => {
    times.isLong = isLong
    took.length = 0
    const runs = await Promise.all(Array.from({ length: 20 }, (_, n) => run(`echo ${n}; exit ${n}`)))
    assert.deepEqual(
      runs,
      runs.map((_, n) => [`${n}\n`, n]),
    )
    assert.equal(took.length, 20)
    assert.ok(took.every(ms => ms > 0))
  })

  test(`a start that fails on ${where} is told, is timed, and hinders no other`, async () => {
    times.isLong = isLong
    took.length = 0
    const failed = run('x'.repeat(200_000))
    const others = [run('exit 3'), run('exit 4')]
    await assert.rejects(failed, StartError)
    assert.deepEqual(await Promise.all(others), [
      ['', 3],
      ['', 4],
    ])
    assert.equal(took.length, 3)
  })

  test(`while a process is started on ${where} the loop ${isLong ? 'turns' : 'stands still'}`, async () => {
    times.isLong = isLong
    let hasTurned = false
    setImmediate(() => {
      hasTurned = true
    })
    const started = await startBash(processes, 'exit 0')
    assert.equal(hasTurned, isLong)
    await started.exited
    await started.outputClosed
  })
}

test('where a job has lived for a while, others are started on another thread', async t => {
  times.isLong = false
  const sleeper = await startBash(processes, 'exec sleep 1000')
  const now = performance.now()
  t.mock.method(performance, 'now', () => now + 200)
  let hasTurned = false
  setImmediate(() => {
    hasTurned = true
  })
  const started = await startBash(processes, 'exit 0')
  assert.equal(hasTurned, true)
  sleeper.kill('SIGKILL')
  await Promise.all([started.exited, sleeper.exited])
})
