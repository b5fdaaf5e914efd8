import { Socket } from 'node:net'

/**
 * Takes over `fd`, the reading end of a pipe. Resolves with what is written to it until a line is `last`, or until every
 * holder has closed it: the first kilobytes, without that line. Never rejects.
 */
export const readTextPipe = (fd: number, last: string): Promise<{ text: string; isLast: boolean }> =>
  new Promise(resolve => {
    let text = ''
    const socket = new Socket({ fd, readable: true, writable: false })
    const end = (): void => {
      const isLast = text === `${last}\n` || text.endsWith(`\n${last}\n`)
      resolve({ text: (isLast ? text.slice(0, -last.length - 1) : text).slice(0, MOST_CHARACTERS), isLast })
      return void (isLast && socket.destroy())
    }
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      if (text.length < MOST_CHARACTERS) text += part
      if (text.endsWith(`${last}\n`)) end()
    })
    socket.on('error', () => {}) // 'close' follows.
    socket.on('close', end)
  })

const MOST_CHARACTERS = 4096
