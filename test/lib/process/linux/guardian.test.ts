import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLinuxProcesses } from '../../../../lib/process/linux/linux-processes.ts'
import { recordingLog } from '../../../support/recording-log.ts'
import { runBash } from '../../../support/run-process.ts'

test('a guardian that cannot start is told in one warning, and its state says why until one runs', async t => {
  const { log, lines } = recordingLog()
  const processes = createLinuxProcesses({ log })
  t.after(() => processes.close())
  const path = process.env.PATH
  t.after(() => {
    process.env.PATH = path
  })
  /** Runs a job that the guardian is asked for, and waits for its end. */
  const runJob = async (): Promise<void> => {
    assert.equal((await runBash(processes, 'exit 3', { file: '/bin/bash' })).status.exitCode, 3)
  }
  assert.deepEqual(processes.guardian(), { state: 'idle', restarts: 0 })

  process.env.PATH = '/no/such/directory'
  await runJob()
  await runJob()
  const error = 'exec: "sh": executable file not found in $PATH'
  assert.deepEqual(processes.guardian(), { state: 'missing', error, restarts: 0 })
  assert.equal(lines.length, 1)
  assert.deepEqual([lines[0]!.level, lines[0]!.fields], ['warn', { error }])
  assert.match(lines[0]!.message, /should the agent be killed, its jobs would live on/)

  process.env.PATH = path
  await runJob()
  assert.deepEqual(processes.guardian(), { state: 'running', restarts: 0 })
  assert.equal(lines.length, 1)
})
