import type { AddressInfo, Server } from 'node:net'
import { type SecureContextOptions, Server as TlsServer } from 'node:tls'
import type { MetricsService } from '../handlers/services.ts'
import type { Log } from '../lib/base/log.ts'
import { within } from '../lib/base/within.ts'
import type { Config } from './config.ts'
import { isLoopback } from './loopback.ts'
import { createMetricsServer } from './metrics-server.ts'
import { createServer, type ServerOptions } from './server.ts'
import { orStartupError } from './startup-error.ts'
import { loadTls, watchTls } from './tls.ts'
import { createTlsConnections } from './tls-connections.ts'

/**
 * Serves on the configured address, if there is one, with TLS if that is configured. `opened` gets what must be closed.
 * Rejects with StartupError.
 */
export const listen = async (
  config: Config,
  fetch: ServerOptions['fetch'],
  log: Log,
  opened: AsyncDisposableStack,
) => {
  const { tls: files, host, port } = config
  if (port === 'off') return undefined
  const tls = files && (await orStartupError('AGENT_TLS_CERT, AGENT_TLS_KEY', () => loadTls(files, log)))
  const connections = createTlsConnections()
  const { isOutdated } = connections
  const server = createServer({ ...config, fetch, log, tls: tls?.options, isOutdated })
  if (files && tls && server instanceof TlsServer) {
    connections.watch(server)
    let { ca } = tls.options
    const onChange = (options: SecureContextOptions): void => {
      server.setSecureContext(options)
      // A renewed certificate of the agent's own concerns nobody who is connected.
      if (String(options.ca) !== String(ca)) connections.endAll()
      ca = options.ca
    }
    opened.adopt(watchTls({ files, version: tls.version, onChange, log }), one => one.close())
  }
  if (!tls && !isLoopback(host)) log.warn({ host }, PLAIN_HTTP)
  await orStartupError(`AGENT_HOST=${host} AGENT_PORT=${port}: cannot listen`, () =>
    listenOn(server, { host, port }),
  )
  return {
    url: urlOf(server.address() as AddressInfo, tls !== undefined),
    /** Takes no more connections, and ends those that are there; answers that are being sent have a second. */
    async close(): Promise<void> {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeIdleConnections()
      await within(closed, LAST_ANSWERS_MS)
      server.closeAllConnections()
    },
  }
}

/** Serves the metrics on an address of their own, if one is configured. Rejects with StartupError. */
export const listenForMetrics = async (
  { metricsListen, allowed }: Config,
  metrics: MetricsService,
  log: Log,
  opened: AsyncDisposableStack,
): Promise<void> => {
  if (!metricsListen) return
  const { host, port } = metricsListen
  // Whoever has it listen on the loopback address means this host, which AGENT_ALLOW need not have.
  const options = { metrics, log, allowed: isLoopback(host) ? undefined : allowed }
  const server = opened.adopt(createMetricsServer(options), one => {
    one.close()
    one.closeAllConnections()
  })
  await orStartupError(`AGENT_METRICS_LISTEN=${host}:${port}: cannot listen`, () =>
    listenOn(server, { host, port }),
  )
  log.info({ address: `${urlOf(server.address() as AddressInfo, false)}/metrics` }, 'metrics')
}

const listenOn = async (server: Server, address: { host: string; port: number }): Promise<void> => {
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject).listen({ ...address }, listening.resolve)
  await listening.promise
}

const urlOf = ({ address, family, port }: AddressInfo, isEncrypted: boolean): string =>
  `${isEncrypted ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`

const LAST_ANSWERS_MS = 1000

const PLAIN_HTTP =
  'PLAIN HTTP ON A NETWORK: whoever sees a request can read its command and its output, and use a signature of the contract again; set AGENT_TLS_CERT and AGENT_TLS_KEY'
