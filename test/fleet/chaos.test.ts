import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NATS_TEST } from '../support/nats-server.ts'
import { waitFor } from '../support/wait-for.ts'
import { createRandom } from './random.ts'
import { runFleet } from './run-fleet.ts'

test(
  'of 60 jobs on three agents none is lost nor run twice by one of them, though one is killed and the engine restarted',
  NATS_TEST,
  async () => {
    const seed = 15
    const report = await runFleet({
      agents: 3,
      jobs: 60,
      slots: 3,
      ackWaitMs: 1500,
      random: createRandom(seed),
      deadlineMs: 60_000,
      async disturb([first], engine, _signal, published) {
        await waitFor('20 are published', () => published() >= 20)
        await first!.end('SIGKILL')
        await waitFor('40 are published', () => published() >= 40)
        await engine.restart()
        await first!.start()
      },
    })
    assert.deepEqual(report.lost, [])
    assert.equal(report.published, 60)
    assert.equal(report.ended + report.toldAsLost, 60)
    assert.deepEqual([report.twice, report.onceTwice, report.untold, report.changed], [0, 0, 0, 0])
  },
)
