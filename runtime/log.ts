import { destination, pino } from 'pino'
import { within } from '../lib/within.ts'
import type { Config } from './config.ts'

/**
 * JSON lines on the standard output, pretty ones on a terminal. Written in the background, and dropped rather
 * than piled up without end when nobody reads them.
 */
export const createLogger = async (level: Config['logLevel'], pretty: boolean) => {
  if (pretty) {
    const { default: prettyStream } = await import('pino-pretty')
    const stream = prettyStream({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true })
    return { log: pino({ level }, stream), flush: async () => {} }
  }
  const stream = destination({ dest: 1, sync: false, maxLength: MOST_WAITING_BYTES })
  stream.on('error', () => {}) // Whoever read the log is gone: no reason to stop.
  /** Never waits for long for a reader that does not read. */
  const flush = async (): Promise<void> => {
    const flushed = new Promise<boolean>(resolve => stream.flush(() => resolve(true)))
    if (await within(flushed, FLUSH_MS)) return
    // A thread is stuck in write(2), and exit would wait for it for ever.
    process.kill(process.pid, 'SIGKILL')
  }
  return { log: pino({ level }, stream), flush }
}

const MOST_WAITING_BYTES = 8 << 20
const FLUSH_MS = 500
