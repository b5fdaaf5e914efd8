import { Socket } from 'node:net'

/**
 * Takes over `fd`, the reading end of a pipe. Resolves with what was written to it until every holder has closed it: the
 * first kilobytes. Never rejects.
 */
export const readTextPipe = (fd: number): Promise<string> =>
  new Promise(resolve => {
    let text = ''
    const socket = new Socket({ fd, readable: true, writable: false })
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      if (text.length < MOST_CHARACTERS) text += part
    })
    socket.on('error', () => {}) // 'close' follows.
    socket.on('close', () => resolve(text.slice(0, MOST_CHARACTERS)))
  })

const MOST_CHARACTERS = 4096
