import { Socket } from 'node:net'

/**
 * Reads a pipe to its end through one buffer of its own, so that a flood makes no garbage.
 * `onBytes` gets a view that is only valid during the call. Resolves at end of file; never rejects.
 */
export const readPipe = (fd: number, onBytes: (bytes: Uint8Array) => void): Promise<void> =>
  new Promise(resolve => {
    const socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback(length, buffer) {
          onBytes(buffer.subarray(0, length))
          return true
        },
      },
    })
    socket.on('error', () => {}) // 'close' follows, and that is all that matters here.
    socket.on('close', () => resolve())
  })

/** The capacity of a Linux pipe, pipe(7): one read can take all that is there. */
const READ_BYTES = 65_536
