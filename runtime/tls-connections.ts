import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { endOf } from './connections.ts'

/**
 * Open TLS connections: whom a client's certificate made it was judged at the handshake, by the authorities of then.
 * So when these have changed, each connection ends with the answer that is given on it, at once where none is, or where
 * the handshake is not over.
 */
export const createTlsConnections = () => {
  const answers = new Map<Socket, ServerResponse | undefined>()
  const outdated = new WeakSet<Socket>()
  /** Of those whose handshake is not over. */
  const handshakes = new Map<string, Socket>()
  return {
    watch(server: Pick<Server, 'on'>): void {
      server.on('connection', (socket: Socket) => {
        const end = endOf(socket)
        handshakes.set(end, socket)
        socket.once('close', () => {
          if (handshakes.get(end) === socket) handshakes.delete(end)
        })
      })
      server.on('secureConnection', (socket: Socket) => {
        handshakes.delete(endOf(socket))
        answers.set(socket, undefined)
        socket.once('close', () => answers.delete(socket))
      })
      server.on('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
        if (!answers.has(socket)) return
        answers.set(socket, answer)
        answer.once('close', () => {
          if (answers.get(socket) === answer) answers.set(socket, undefined)
        })
      })
    },
    endAll(): void {
      for (const socket of handshakes.values()) socket.destroy()
      for (const [socket, answer] of answers) {
        outdated.add(socket)
        if (!answer) {
          socket.destroySoon()
          continue
        }
        answer.shouldKeepAlive = false
        answer.once('close', () => socket.destroySoon())
      }
    },
    /** No other request is taken on it. */
    isOutdated: (socket: Socket): boolean => outdated.has(socket),
  }
}
