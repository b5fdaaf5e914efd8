import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * A proxy before an engine that can drop whatever comes, without a word, as a network does that is cut; or keep what the
 * engine sends for a while.
 */
export const startDroppingProxy = async (port: number) => {
  const sockets = new Set<Socket>()
  const engines = new Set<Socket>()
  let isCut = false
  const server = createServer(client => {
    const engine = connect(port, '127.0.0.1')
    engines.add(engine.on('close', () => engines.delete(engine)))
    const end = (): void => {
      for (const socket of [client, engine]) socket.destroy()
    }
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(from)
      from.on('error', end).on('close', () => {
        sockets.delete(from)
        if (!isCut) end()
      })
      from.on('data', bytes => {
        if (!isCut) to.write(bytes)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut(): void {
      isCut = true
    },
    /** What the engine sends from now on comes when it is released. */
    hold(): void {
      for (const engine of engines) engine.pause()
    },
    release(): void {
      for (const engine of engines) engine.resume()
    },
    /** New connections go through; of the old ones what was dropped is missing, so they are ended. */
    mend(): void {
      isCut = false
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
