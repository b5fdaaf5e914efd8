import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** Ports that pages name for programs of the reader: nothing listens there, and examples must not meet each other. */
const OF_READERS = ['4333', '8081', '9000']

/** Puts ports of this machine in the place of those that a page names. `agentPort` is where its agent listens. */
export const createPorts = async (agentPort: string): Promise<(text: string) => string> => {
  const ports = new Map([['8080', agentPort]])
  const servers = OF_READERS.map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  for (const [index, port] of OF_READERS.entries())
    ports.set(port, String((servers[index]!.address() as AddressInfo).port))
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return text => text.replace(/\b(?:4333|8080|8081|9000)\b/g, port => ports.get(port)!)
}
