import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect as connectNats } from '@nats-io/transport-node'
import { connect } from '../../../lib/client/client.ts'
import { createNatsFetch } from '../../../lib/fleet/fetch-by-nats.ts'
import { findHosts } from '../../../lib/fleet/find-hosts.ts'
import { SECRET } from '../../support/agent.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

test(
  'a host that comes back after another one has taken its name serves nothing, not even for a moment',
  NATS_TEST,
  async () => {
    // It notices soon that nothing comes of a host any more.
    await using engine = await startNatsServer({
      config: 'ping_interval: "1s"\nping_max: 1',
      jetstream: false,
    })
    const first = await startFleetAgent(engine, 'db1')
    const connection = await connectNats({ servers: engine.url })
    process.kill(first.pid, 'SIGSTOP')
    await waitFor('the engine has cut it off', async () => (await findHosts(connection)).length === 0)
    const second = await startFleetAgent(engine, 'db1')
    process.kill(first.pid, 'SIGCONT')
    const fetch = createNatsFetch(connection)
    const client = connect('http://db1.host.newdt/', { credentials: { secret: SECRET }, fetch })
    let asked = 0
    await waitFor('it knows', async () => {
      const listed = await client.list()
      assert.ok(listed.ok)
      asked++
      return first.output().stdout.includes('ANOTHER AGENT HAS THIS NAME')
    })
    assert.ok(asked > 0)
    const served = first.output().stdout.match(/"msg":"request"/g) ?? []
    assert.equal(served.length, 0)
    await connection.close()
    await second.end()
    await waitFor('it serves when the other is gone', () => {
      const lines = first.output().stdout
      return lines.lastIndexOf('serving the fleet') > lines.indexOf('ANOTHER AGENT')
    })
    await first.end()
  },
)
