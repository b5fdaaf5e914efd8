import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port that is free, for programs that cannot tell which one they took: one that the system gives to nobody who does not
 * ask for it (ip_local_port_range begins at 32768), so that no connection and no other test takes it meanwhile.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = LEAST + Math.floor(Math.random() * (MOST - LEAST))
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch {
      continue // It is taken.
    }
    server.close()
    await once(server, 'close')
    return port
  }
}

const LEAST = 10_000
const MOST = 32_000
