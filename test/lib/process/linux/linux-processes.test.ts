import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLinuxProcesses } from '../../../../lib/process/linux/linux-processes.ts'
import { openDescriptors } from '../../../support/proc.ts'
import { runBash } from '../../../support/run-process.ts'
import { waitFor } from '../../../support/wait-for.ts'

test('a process layer that is closed has no descriptor open, no guardian, and no listener', async () => {
  const useAndClose = async (): Promise<void> => {
    const processes = createLinuxProcesses()
    const { stdout } = await runBash(processes, 'cat; exit 0', { stdin: Buffer.from('hello') })
    assert.equal(stdout, 'hello')
    assert.deepEqual(processes.guardian(), { state: 'running', restarts: 0 })
    processes.close()
  }
  await useAndClose() // Node opens some descriptors of its own with the first.
  const before = openDescriptors()
  for (let round = 0; round < 5; round++) await useAndClose()
  await waitFor('the descriptors are closed', () => openDescriptors() === before)
  assert.equal(process.listenerCount('SIGCHLD'), 0)
})
