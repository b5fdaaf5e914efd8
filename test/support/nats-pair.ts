import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import type { Context } from '../../handlers/services.ts'
import { createNatsFetch, type NatsFetchOptions } from '../../lib/fleet/fetch-by-nats.ts'
import type { Address } from '../../lib/fleet/names.ts'
import { type AnswersOptions, createAnswers } from '../../runtime/nats/answers.ts'
import { createInbox } from '../../runtime/nats/inbox.ts'
import { createMessageServer } from '../../runtime/nats/serve.ts'
import type { NatsServer } from './nats-server.ts'
import { recordingLog } from './recording-log.ts'

export const HOST: Address = { to: 'host', host: 'db1' }

export interface ServedOptions extends Pick<AnswersOptions, 'times' | 'most'> {
  serve(request: Request, context: Context): Response | Promise<Response>
}

/** What an agent does with messages, with a function in the place of its endpoints; for `db1`. */
export const serveMessages = async (connection: NatsConnection, { serve, ...options }: ServedOptions) => {
  const { log, lines } = recordingLog()
  const fates: string[] = []
  const inbox = createInbox(connection, '_INBOX')
  const answers = createAnswers({ connection, inbox, host: 'db1', ...options })
  const answer = createMessageServer({
    fetch: async (request, context) => serve(request, context),
    answers,
    inbox,
    metrics: { fleetRequest: fate => void fates.push(fate) },
    log,
  })
  const subscription = connection.subscribe('newdt.host.db1.*', {
    callback: (_error, message) => answer(message, HOST),
  })
  await connection.flush()
  return {
    answers,
    fates,
    lines,
    close(): void {
      subscription.unsubscribe()
      answers.close()
      inbox.close()
    },
  }
}

/** Two connections to an engine, and `fetch` on the second. */
export const connectTwice = async (engine: Pick<NatsServer, 'url'>, options: NatsFetchOptions = {}) => {
  const [ofAgent, ofClient] = await Promise.all([
    connect({ servers: engine.url, name: 'agent' }),
    connect({ servers: engine.url, name: 'client' }),
  ])
  return {
    ofAgent,
    ofClient,
    fetch: createNatsFetch(ofClient, options),
    close: () => Promise.all([ofAgent.close(), ofClient.close()]),
  }
}

export const URL_OF_HOST = 'http://db1.host.newdt'
