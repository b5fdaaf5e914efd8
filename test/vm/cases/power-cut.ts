import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { MachineAgent } from '../agent.ts'
import { createMachine } from '../machine.ts'

/** Clients that submit jobs until nobody answers; resolves with the ids of those that were answered for. */
const load = async (agent: MachineAgent): Promise<string[]> => {
  const ids: string[] = []
  const client = async (): Promise<void> => {
    for (;;) ids.push((await agent.run('echo 1')).id)
  }
  await Promise.allSettled([client(), client(), client()])
  return ids
}

const machine = await createMachine()

describe('a power cut', () => {
  before(machine.boot)

  const isIntact = async (): Promise<void> => {
    assert.doesNotMatch(await machine.shell('journalctl -b -o cat -u newdt-auto'), /CORRUPT|NOT AS THE AGENT/)
    assert.equal((await machine.agent.run('echo 1')).stdout, '1\n')
  }

  test('takes no job that was on the disk: the ended ones are there, the running ones are told as lost', async t => {
    const ended = await machine.agent.run('echo ended; exit 3')
    const running = await Promise.all([
      machine.agent.start('echo begun; sleep 1000'),
      machine.agent.start('(setsid sleep 1000 &); sleep 1000'),
    ])
    // What the kernel does within half a minute.
    await machine.shell('sleep 2; sync')
    await machine.powerCut()
    t.diagnostic(`ready ${(await machine.boot()).toFixed(0)} s after the power is back`)

    const after = await machine.agent.job(ended.id)
    assert.deepEqual([after.state, after.exitCode, after.stdout], ['failed', 3, 'ended\n'])
    for (const { id } of running) {
      const { state, reason } = await machine.agent.job(id)
      assert.deepEqual([state, reason], ['failed', 'agent-lost'])
    }
    assert.equal((await machine.agent.job(running[0]!.id)).stdout, 'begun\n')
    assert.deepEqual((await machine.agent.call('/api/jobs?state=running')).data, [])
    await isIntact()
  })

  for (const round of [1, 2, 3]) {
    test(`in the middle of work breaks nothing, round ${round}`, async t => {
      const loading = load(machine.agent)
      await machine.shell(`sleep ${4 + round}`)
      await machine.powerCut()
      const ids = await loading
      await machine.boot()
      await isIntact()
      const kept = await Promise.all(
        ids.map(async id => (await machine.agent.call(`/api/jobs/${id}`)).success),
      )
      t.diagnostic(`${kept.filter(Boolean).length} of ${ids.length} jobs of the last seconds are known`)
      // In the order in which they came: one that is known has none before it that is not.
      assert.doesNotMatch(kept.map(Number).join(''), /1.*0.{6}.*1/)
    })
  }
})
