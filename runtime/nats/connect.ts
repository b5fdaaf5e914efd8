import { setTimeout } from 'node:timers/promises'
import { AuthorizationError, type NatsConnection } from '@nats-io/nats-core'
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node'
import type { Log } from '../../lib/base/log.ts'
import { within } from '../../lib/base/within.ts'
import { connectionOptions } from './connection-options.ts'
import { loadCredentials } from './credentials.ts'
import type { EngineConfig } from './settings.ts'

/** What lives on one connection. */
export interface Session {
  /** What was published meanwhile may be lost; subscriptions come back by themselves. */
  disconnected(): void
  reconnected(): void
  /** The engine has refused something. */
  refused(error: Error): void
  /** May use the connection, if there is one, for its last words, so long. Resolves with whether the engine has them. */
  close(ms: number): Promise<boolean>
}

export interface ConnectOptions {
  engine: EngineConfig
  /** What the engine is told of the agent. */
  name: string
  log: Log
  /** Called with each new connection: there is another one only when the engine's library gives the former up. */
  open(connection: NatsConnection): Session
}

/**
 * Keeps a connection to the engine. An engine that is not there, or refuses, is tried again without end: one line of
 * the log says so. Rejects with StartupError when the files of credentials cannot be used.
 */
export const keepConnected = async ({ engine, name, log, open }: ConnectOptions) => {
  const credentials = await loadCredentials(engine, log)
  const closing = new AbortController()
  const { signal } = closing
  let current: { connection: NatsConnection; session: Session } | undefined
  let isConnected = false
  let isToldOf = false

  const away = (error: unknown): void => {
    if (!isToldOf && !signal.aborted)
      log.warn(
        { servers: engine.servers, error: textOf(error) },
        error instanceof AuthorizationError
          ? 'THE ENGINE OF THE FLEET DOES NOT LET THE AGENT IN: it is tried again; check AGENT_NATS_CREDS, AGENT_NATS_NKEY or the user in AGENT_NATS_URL'
          : 'THE ENGINE OF THE FLEET IS NOT THERE: it is tried again',
      )
    isToldOf = true
  }

  const there = (connection: NatsConnection): void => {
    isConnected = true
    isToldOf = false
    log.info({ server: connection.getServer(), name }, 'connected to the engine of the fleet')
  }

  const options: NodeConnectionOptions = {
    ...connectionOptions(engine),
    maxReconnectAttempts: -1,
    // What is wrong with the credentials may be mended while the agent runs.
    ignoreAuthErrorAbort: true,
    ...(credentials.authenticator && { authenticator: credentials.authenticator }),
    name: `newdt-auto ${name}`,
    reconnectDelayHandler() {
      credentials.renew()
      return delayMs()
    },
  }

  /** Resolves when the library gives the connection up, which it does when it cannot even try any more. */
  const use = async (connection: NatsConnection): Promise<void> => {
    const session = open(connection)
    current = { connection, session }
    there(connection)
    for await (const status of connection.status()) {
      if (signal.aborted) return
      if (status.type === 'disconnect' && isConnected) {
        isConnected = false
        session.disconnected()
        away('the connection has broken')
      } else if (status.type === 'reconnect' && !isConnected) {
        there(connection)
        session.reconnected()
      } else if (status.type === 'error') {
        session.refused(status.error)
      }
    }
    isConnected = false
    current = undefined
    session.disconnected()
    await session.close(0)
    away('the connection was given up')
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      credentials.renew()
      try {
        const connection = await connect(options)
        if (signal.aborted) return await connection.close()
        await use(connection)
      } catch (error) {
        away(error)
      }
      await setTimeout(delayMs(), undefined, { signal, ref: false }).catch(() => {})
    }
  }
  void run()

  return {
    isConnected: () => isConnected,
    async close(ms: number): Promise<void> {
      closing.abort()
      if (!current) return
      const { connection, session } = current
      const isThere = await session.close(ms)
      if (isConnected && isThere)
        await within(
          connection.flush().catch(() => {}),
          LAST_WORDS_MS,
        )
      isConnected = false
      await within(connection.close(), LAST_WORDS_MS)
    },
  }
}

/** All agents lose an engine at the same time, and must not come back at the same time. */
const delayMs = (): number => 500 + Math.random() * 2000

const LAST_WORDS_MS = 700

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
