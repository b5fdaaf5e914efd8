import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * A proxy before an agent, on a free port of the loopback address. The next connections are each cut when so many
 * bytes of answers have gone through; when no figure is left, none is cut.
 */
export const startCuttingProxy = async (target: string) => {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let cuts: number[] = []
  let connections = 0
  const server = createServer(client => {
    connections++
    let left = cuts.shift() ?? Number.POSITIVE_INFINITY
    const agent = connect(Number(port), hostname)
    const end = () => [client, agent].map(socket => socket.destroy())
    for (const socket of [client, agent]) {
      sockets.add(socket)
      socket.on('error', end).on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    client.pipe(agent)
    agent.on('data', (bytes: Buffer) => {
      const part = bytes.subarray(0, left)
      left -= part.length
      client.write(part, left <= 0 ? end : undefined)
      if (left <= 0) agent.pause()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter(bytes: number[]) {
      for (const socket of sockets) socket.destroy() // One that is kept open would be used again.
      cuts = [...bytes]
      connections = 0
    },
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
