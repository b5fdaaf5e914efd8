import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endedRun } from '../../../lib/fleet/queue/queued-job.ts'
import { createHome } from '../../support/agent.ts'
import { startDroppingProxy } from '../../support/dropping-proxy.ts'
import { createPublisher } from '../../support/fleet-queue.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { sideBySide } from '../../support/side-by-side.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

const test = sideBySide('a host that is cut off', 2)

const env = { AGENT_LABELS: 'role=db' }

test(
  'what runs on a host that is cut off goes on, and its end arrives when the network is mended',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using proxy = await startDroppingProxy(engine.port)
    await using publisher = await createPublisher(engine, { ackWaitMs: 600_000 })
    const ended = join(createHome().path, 'ended')
    const agent = await startFleetAgent(proxy, 'db1', { env })
    const id = await publisher.submit(`sleep 1; touch ${ended}`)
    await publisher.running(id)
    proxy.cut()
    await waitFor('it goes on', () => existsSync(ended))
    assert.equal((await publisher.show(id)).state, 'running')
    proxy.mend()
    const job = await publisher.end(id)
    assert.equal(endedRun(job)?.end.state, 'success')
    assert.equal(job.runs.length, 1)
    await agent.end()
  },
)

test(
  'a job of a host that is cut off for too long is run by another; the first end counts, both are told',
  NATS_TEST,
  async () => {
    await using engine = await startNatsServer()
    await using proxy = await startDroppingProxy(engine.port)
    await using publisher = await createPublisher(engine, { ackWaitMs: 1500 })
    const home = createHome()
    const [go, ended] = [join(home.path, 'go'), join(home.path, 'ended')]
    const cut = await startFleetAgent(proxy, 'db1', { env, home })
    const id = await publisher.submit(`until [ -e ${go} ]; do sleep 0.05; done; echo end >> ${ended}`)
    await publisher.running(id)
    proxy.cut()
    const other = await startFleetAgent(engine, 'db2', { env })
    const again = await waitFor('db2 runs it', async () => {
      const found = await publisher.show(id)
      return found.runs.length === 2 && found
    })
    assert.deepEqual(
      again.runs.map(({ host }) => host),
      ['db1', 'db2'],
    )
    writeFileSync(go, '')
    const job = await publisher.end(id)
    assert.equal(endedRun(job)?.host, 'db2')
    proxy.mend()
    const told = await waitFor('the end on db1 arrives', async () => {
      const found = await publisher.show(id)
      return found.runs[0]?.end && found
    })
    assert.equal(told.runs[0]?.end?.state, 'success')
    assert.equal(endedRun(told)?.host, 'db2')
    await Promise.all([cut.end(), other.end()])
  },
)
