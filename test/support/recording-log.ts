import type { Log } from '../../lib/base/log.ts'

export interface LogLine {
  level: keyof Log
  fields: object
  message: string
}

/** A log that keeps what it is told. */
export const recordingLog = () => {
  const lines: LogLine[] = []
  const keep = (level: keyof Log) => (fields: object, message: string) => {
    lines.push({ level, fields, message })
  }
  const log: Log = { info: keep('info'), warn: keep('warn'), error: keep('error') }
  return { log, lines }
}
