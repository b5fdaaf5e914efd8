import { Socket } from 'node:net'

/**
 * Takes over `fd`, the reading end of a pipe. Resolves with what is written to it until a line is `last`, or until every
 * holder has closed it, or a second after `end`, since somebody else may hold it: the first kilobytes, without that line.
 * Never rejects.
 */
export const readTextPipe = (
  fd: number,
  last: string,
  end: Promise<unknown>,
): Promise<{ text: string; isLast: boolean }> =>
  new Promise(resolve => {
    let text = ''
    let timer: NodeJS.Timeout | undefined
    const socket = new Socket({ fd, readable: true, writable: false })
    const finish = (): void => {
      clearTimeout(timer)
      const isLast = text === `${last}\n` || text.endsWith(`\n${last}\n`)
      resolve({ text: (isLast ? text.slice(0, -last.length - 1) : text).slice(0, MOST_CHARACTERS), isLast })
    }
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      if (text.length < MOST_CHARACTERS) text += part
      if (text.endsWith(`${last}\n`)) socket.destroy()
    })
    socket.on('error', () => {}) // 'close' follows.
    socket.on('close', finish)
    void end.then(() => {
      if (!socket.destroyed) timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
    })
  })

const MOST_CHARACTERS = 4096
const LAST_WORDS_MS = 1000
