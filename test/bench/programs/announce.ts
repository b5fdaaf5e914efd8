import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens on any free port and prints the URL. */
export const announce = async (server: Server): Promise<void> => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}
