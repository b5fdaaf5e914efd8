import { createServer } from 'node:http'
import type { MetricsService } from '../handlers/services.ts'
import type { Log } from '../lib/base/log.ts'

/** Answers GET /metrics without a signature, and nothing else: for a Prometheus that can send none. */
export const createMetricsServer = (metrics: Pick<MetricsService, 'text' | 'contentType'>, log: Log) => {
  const server = createServer({ headersTimeout: 5000, requestTimeout: 10_000 }, (request, response) => {
    request.resume() // A body is not looked at.
    const isKnown = request.url === '/metrics' && ['GET', 'HEAD'].includes(request.method ?? '')
    if (!isKnown) return void response.writeHead(404).end()
    void metrics.text().then(
      text => response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text),
      err => {
        log.error({ err }, 'the metrics could not be collected')
        response.writeHead(500).end()
      },
    )
  })
  server.maxConnections = 20
  return server
}
