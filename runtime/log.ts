import { destination, pino } from 'pino'
import type { Config } from './config.ts'

/**
 * JSON lines on the standard output, pretty ones on a terminal. Written in the background, and dropped rather
 * than piled up without end when nobody reads them.
 */
export const createLogger = async (level: Config['logLevel'], pretty: boolean) => {
  if (pretty) {
    const { default: prettyStream } = await import('pino-pretty')
    const stream = prettyStream({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', sync: true })
    return { log: pino({ level }, stream), flush: () => {} }
  }
  const stream = destination({ dest: 1, sync: false, maxLength: MOST_WAITING_BYTES })
  stream.on('error', () => {}) // Whoever read the log is gone: no reason to stop.
  const flush = (): void => {
    try {
      stream.flushSync()
    } catch {
      // Not open yet, or nobody reads.
    }
  }
  return { log: pino({ level }, stream), flush }
}

export type Logger = Awaited<ReturnType<typeof createLogger>>['log']

const MOST_WAITING_BYTES = 8 << 20
