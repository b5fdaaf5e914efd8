import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { waitFor } from './wait-for.ts'

/** A callback as it has come. */
export interface Received {
  id: string
  /** Seconds. */
  timestamp: number
  path: string
  headers: IncomingMessage['headers']
  body: string
  /** Verified by the library; throws for a wrong signature. */
  verify(secret: string): Message
}

/** What a callback says. */
export interface Message {
  type: string
  timestamp: string
  host: string
  data: { id: string; state: string; exitCode: number; stdout: string; [field: string]: unknown }
}

export type Answer = (response: ServerResponse, received: Received) => void

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  response =>
    void response.writeHead(code, headers).end('{}')

/** A real receiver of callbacks. It answers 200 unless `answers` says otherwise, which may be changed. */
export const startReceiver = async ({ tls, host = '127.0.0.1', port = 0 }: ReceiverOptions = {}) => {
  const received: Received[] = []
  const state = { answer: status(200) }
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await request.toArray()).toString()
    const one: Received = {
      id: String(request.headers['webhook-id']),
      timestamp: Number(request.headers['webhook-timestamp']),
      path: request.url ?? '',
      headers: request.headers,
      body,
      verify: secret =>
        new Webhook(secret).verify(body, request.headers as Record<string, string>) as Message,
    }
    received.push(one)
    state.answer(response, one)
  }
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    // A sender that goes away is no error of the test.
    void listener(request, response).catch(() => {})
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest)
  let connections = 0
  server.on('connection', () => connections++)
  await new Promise<void>(resolve => server.listen(port, host, resolve))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    if (server.listening) await new Promise(resolve => server.close(resolve))
  }
  after(close)
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    origin: `${tls ? 'https' : 'http'}://${host}:${address.port}`,
    received,
    connections: () => connections,
    answer(answer: Answer): void {
      state.answer = answer
    },
    /** Waits until so many have come. */
    count: (count: number): Promise<Received[]> =>
      waitFor(`${count} callbacks have come`, () => received.length >= count && received),
    close,
  }
}

export interface ReceiverOptions {
  tls?: ServerOptions
  host?: string
  port?: number
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>
