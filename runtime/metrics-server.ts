import { createServer } from 'node:http'
import type { MetricsService } from '../handlers/services.ts'
import type { Log } from '../lib/base/log.ts'
import type { AddressList } from '../lib/security/address-list.ts'
import { limitConnections } from './connections.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

export interface MetricsServerOptions {
  metrics: Pick<MetricsService, 'text' | 'contentType'>
  log: Log
  /** Who may connect; all when absent. */
  allowed?: AddressList | undefined
}

/** Answers GET /metrics without a signature, and nothing else: for a Prometheus that can send none. */
export const createMetricsServer = ({ metrics, log, allowed }: MetricsServerOptions) => {
  const server = createServer(TIMES, (request, response) => {
    request.resume() // A body is not looked at.
    const isKnown = request.url === '/metrics' && ['GET', 'HEAD'].includes(request.method ?? '')
    if (!isKnown) return void response.writeHead(404, SAFE_HEADERS).end()
    if (!connections.tryToKeep(request.socket, response, { isRepeatable: true })) return
    void metrics.text().then(
      text => response.writeHead(200, { 'Content-Type': metrics.contentType, ...SAFE_HEADERS }).end(text),
      err => {
        log.error({ err }, 'the metrics could not be collected')
        response.writeHead(500, SAFE_HEADERS).end()
      },
    )
  })
  const connections = limitConnections(server, { most: MOST_CONNECTIONS, allowed, log })
  server.setTimeout(STALLED_MS)
  return server
}

const TIMES = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 }
/** No answer takes that long: whoever is silent then does not read it. */
const STALLED_MS = 10_000
const MOST_CONNECTIONS = 20
