import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { createPassingMap } from '../../base/passing-map.ts'
import { F_SETFL, type Libc, O_NONBLOCK } from './libc.ts'

export interface OutputPipe {
  /** Takes what is there now; the job's own process has just ended, so most often that is all. */
  drain(): void
  /** Resolves at end of file, which comes when every holder has closed the pipe; never rejects. */
  closed: Promise<void>
}

/**
 * Reads pipes to their end through a buffer that all of them share. `onBytes` gets a view that is only valid during
 * the call. A pipe is looked at every few milliseconds at first, and left to the event loop, as a socket, as soon as
 * something came or it has lived for a while: for most jobs, which end at once, a socket would cost more than all
 * they write.
 */
export const createOutputPipes = (libc: Libc) => {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  /** By numbers of their own: descriptors are used again. */
  let lastNumber = 0
  const young = createPassingMap<number, { look(): void }>()
  let timer: NodeJS.Timeout | undefined

  const lookAtAll = (): void => {
    for (const pipe of young.values()) pipe.look()
    if (young.size() > 0) return
    clearInterval(timer)
    timer = undefined
  }

  /** Takes over `fd`, the reading end of a pipe. */
  return (fd: number, onBytes: (bytes: Uint8Array) => void): OutputPipe => {
    const number = ++lastNumber
    const closed = Promise.withResolvers<void>()
    let looks = 0

    /** Returns whether it has come to the end, and how many bytes it took before. */
    const take = (): { atEnd: boolean; taken: number } => {
      for (let taken = 0, reads = 0; ; reads++) {
        const length = reads < MOST_READS ? libc.read(fd, buffer, READ_BYTES) : -1
        if (length <= 0) return { atEnd: length === 0, taken }
        taken += length
        onBytes(buffer.subarray(0, length))
      }
    }

    const pipe = {
      look(): void {
        if (!young.has(number)) return // It has ended since the list of all was made.
        const { atEnd, taken } = take()
        if (atEnd) end()
        else if (taken > 0 || ++looks >= MOST_LOOKS) becomeSocket()
      },
    }

    const end = (): void => {
      young.delete(number)
      closeSync(fd)
      closed.resolve()
    }

    const becomeSocket = (): void => {
      young.delete(number)
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
      socket.on('close', () => closed.resolve())
    }

    libc.fcntl(fd, F_SETFL, 'int', O_NONBLOCK)
    young.set(number, pipe)
    timer ??= setInterval(lookAtAll, LOOK_MS)
    return {
      drain(): void {
        if (!young.has(number)) return // The loop reads it.
        if (take().atEnd) end()
        else becomeSocket()
      },
      closed: closed.promise,
    }
  }
}

/** The capacity of a Linux pipe, pipe(7): one read can take all that is there. */
const READ_BYTES = 65_536
/** A job that writes without end must not keep everybody else waiting. */
const MOST_READS = 16
const LOOK_MS = 4
const MOST_LOOKS = 4
