import { destination, pino } from 'pino'
import { within } from '../lib/base/within.ts'
import type { Config } from './config.ts'

/**
 * JSON lines on the standard output, pretty ones on a terminal. Written in the background, and dropped rather
 * than piled up without end when nobody reads them.
 */
export const createLogger = async (level: Config['logLevel'], pretty: boolean) => {
  const format = pretty ? await prettyFormat() : (line: string) => line
  const stream = destination({ dest: 1, sync: false, maxLength: MOST_WAITING_BYTES })
  const written = { all: Promise.withResolvers<void>(), isPending: false }
  const settle = (): void => {
    written.isPending = false
    written.all.resolve()
    written.all = Promise.withResolvers()
  }
  stream.on('drain', settle)
  // Whoever read the log is gone: no reason to stop, nor to wait. pino's stream takes no more after that.
  let isReaderGone = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') isReaderGone = true
    settle()
  })
  const batch = createBatch(text => {
    if (isReaderGone) return
    written.isPending = true
    stream.write(text)
  })

  /** Never waits for long for a reader that does not read. */
  const flush = async (): Promise<void> => {
    batch.writeOut()
    if (
      !written.isPending ||
      (await within(
        written.all.promise.then(() => true),
        FLUSH_MS,
      ))
    )
      return
    // A thread is stuck in write(2), and exit would wait for it for ever.
    process.kill(process.pid, 'SIGKILL')
  }
  const write = (line: string): void => batch.write(format(line))
  return { log: pino({ level }, { write }), flush, print: batch.write }
}

/** Made by hand, not by pino-pretty's own stream: that one writes synchronously, and a terminal may stand still. */
const prettyFormat = async (): Promise<(line: string) => string> => {
  const { prettyFactory } = await import('pino-pretty')
  const format = prettyFactory({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', colorize: true })
  return line => format(line) ?? ''
}

/**
 * The first line after a pause goes out at once, what follows together with what else there is by then: each write
 * wakes a thread, and that costs more than all that is done for a request. What waits is bytes, for V8 would move
 * strings from one place to the next meanwhile.
 */
const createBatch = (writeText: (text: string) => void) => {
  const waiting = Buffer.allocUnsafeSlow(BATCH_BYTES)
  let length = 0
  let timer: NodeJS.Timeout | undefined

  const writeOut = (): void => {
    const text = waiting.toString('utf8', 0, length)
    length = 0
    if (text !== '') writeText(text)
  }

  const rest = (): void => {
    timer = undefined
    if (length === 0) return
    writeOut()
    timer = setTimeout(rest, PAUSE_MS).unref()
  }

  return {
    write(line: string): void {
      const mostBytes = line.length * 3 // In UTF-8, for each unit of UTF-16.
      if (length + mostBytes > BATCH_BYTES) writeOut()
      if (mostBytes > BATCH_BYTES) writeText(line)
      else length += waiting.write(line, length)
      if (timer !== undefined) return
      writeOut()
      timer = setTimeout(rest, PAUSE_MS).unref()
    },
    writeOut,
  }
}

const MOST_WAITING_BYTES = 8 << 20
const FLUSH_MS = 500
const PAUSE_MS = 50
const BATCH_BYTES = 256 << 10
