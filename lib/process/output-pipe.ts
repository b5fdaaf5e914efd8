import { Socket } from 'node:net'

/**
 * Reads a pipe to its end through a buffer that all pipes share: it is empty again when `onBytes` returns.
 * `onBytes` gets a view that is only valid during the call. Resolves at end of file; never rejects.
 */
export const readPipe = (fd: number, buffer: Buffer, onBytes: (bytes: Uint8Array) => void): Promise<void> =>
  new Promise(resolve => {
    const socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer,
        callback(length) {
          onBytes(buffer.subarray(0, length))
          return true
        },
      },
    })
    socket.on('error', () => {}) // 'close' follows, and that is all that matters here.
    socket.on('close', () => resolve())
  })

/** The capacity of a Linux pipe, pipe(7): one read can take all that is there. */
export const READ_BYTES = 65_536
