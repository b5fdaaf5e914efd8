import type { Log } from '../../../lib/base/log.ts'

/** A log of where the agent listens, and of what goes wrong. */
export const createLogger = async () => {
  const say = (fields: object, msg: string): void =>
    void process.stdout.write(`${JSON.stringify({ pid: process.pid, ...fields, msg })}\n`)
  const log: Log = {
    info: (fields, msg) => void (msg === 'listening' && say(fields, msg)),
    warn: say,
    error: say,
  }
  return { log, async flush() {}, print: (text: string) => void process.stdout.write(text) }
}
