import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { keepConnected, type Session } from '../../../runtime/nats/connect.ts'
import { NATS_TEST, startNatsServer } from '../../support/nats-server.ts'
import { recordingLog } from '../../support/recording-log.ts'
import { waitFor } from '../../support/wait-for.ts'

describe('a connection to an engine', NATS_TEST, () => {
  test('is made anew when the library has given it up, and what lived on it is closed', async () => {
    await using engine = await startNatsServer()
    const { log, lines } = recordingLog()
    const connections: NatsConnection[] = []
    const calls: string[] = []
    const kept = await keepConnected({
      engine: { servers: [engine.url], inbox: '_INBOX' },
      name: 'db1',
      log,
      open(connection): Session {
        connections.push(connection)
        return {
          disconnected: () => void calls.push('disconnected'),
          reconnected: () => void calls.push('reconnected'),
          refused() {},
          async close() {
            calls.push('closed')
            return true
          },
        }
      },
    })
    await waitFor('there is a connection', () => kept.isConnected())
    await connections[0]!.close()
    await waitFor('there is another', () => connections.length === 2 && kept.isConnected())
    assert.deepEqual(calls, ['disconnected', 'closed'])
    await engine.restart('SIGKILL')
    await waitFor('that one has come back', () => calls.at(-1) === 'reconnected')
    assert.deepEqual(calls, ['disconnected', 'closed', 'disconnected', 'reconnected'])
    assert.equal(lines.filter(({ level }) => level === 'warn').length, 2)
    await kept.close(1000)
    assert.equal(calls.at(-1), 'closed')
    assert.ok(connections[1]!.isClosed() && !kept.isConnected())
  })

  test('is closed while there is no engine, and never tried again', async () => {
    const { log, lines } = recordingLog()
    const engine = await startNatsServer()
    await engine.end()
    const kept = await keepConnected({
      engine: { servers: [engine.url], inbox: '_INBOX' },
      name: 'db1',
      log,
      open: () => assert.fail('there is none'),
    })
    await waitFor('it was tried', () => lines.length === 1)
    await kept.close(1000)
    assert.ok(!kept.isConnected())
    assert.equal(lines.length, 1)
  })
})
