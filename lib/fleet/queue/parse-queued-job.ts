import { isHostName, parseLabel } from '../names.ts'
import { areParameters, MOST_TRIES, type QueueParameters } from './parameters.ts'
import { isQueueId, type QueuedJob } from './queued-job.ts'

/** Undefined for what is none: who may write into the bucket may have written anything. Fields not known are let pass. */
export const parseQueuedJob = (text: string): QueuedJob | undefined => {
  if (text.length > LONGEST_TEXT) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isQueuedJob(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isQueuedJob = (value: unknown): value is QueuedJob =>
  isObject(value) &&
  isText(value.id, 64) &&
  isQueueId(value.id) &&
  isText(value.label, 128) &&
  parseLabel(value.label) !== undefined &&
  (value.priority === 'normal' || value.priority === 'high') &&
  typeof value.once === 'boolean' &&
  areParameters(value as unknown as QueueParameters) &&
  isText(value.summary, 1024) &&
  isText(value.fingerprint, 64) &&
  isText(value.content, 64) &&
  isTime(value.createdAt) &&
  isTime(value.expiresAt) &&
  isCount(value.passes) &&
  Array.isArray(value.runs) &&
  value.runs.length <= MOST_TRIES &&
  value.runs.every(isRun) &&
  hasState(value, value.runs)

const hasState = (value: Record<string, unknown>, runs: { end: unknown }[]): boolean => {
  switch (value.state) {
    case 'waiting':
      return true
    case 'running':
      return runs.length > 0 && (value.suspectedAt === null || isTime(value.suspectedAt))
    case 'ended':
      return isCount(value.by) && (runs[value.by - 1]?.end ?? null) !== null
    case 'dead':
      return isText(value.reason, 32) && REASONS.has(value.reason) && isWord(value.word) && isTime(value.at)
    case 'canceled':
      return isTime(value.at)
    default:
      return false
  }
}

const isRun = (value: unknown): value is { end: unknown } =>
  isObject(value) &&
  isText(value.host, 63) &&
  isHostName(value.host) &&
  (value.job === null || (isText(value.job, 32) && /^[0-9a-f]{32}$/.test(value.job))) &&
  isTime(value.startedAt) &&
  (value.end === null || isRunEnd(value.end))

const isRunEnd = (value: unknown): boolean =>
  isObject(value) &&
  isText(value.state, 16) &&
  STATES.has(value.state) &&
  isWord(value.reason) &&
  Number.isSafeInteger(value.exitCode) &&
  isText(value.signal, 24) &&
  /^(SIG[A-Z0-9+]{1,16})?$/.test(value.signal) &&
  isText(value.error, 4096) &&
  isTime(value.at)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length <= most

/** The agents' words may be newer than who reads them, but do nothing to a terminal. */
const isWord = (value: unknown): boolean =>
  typeof value === 'string' && /^([a-z][a-z0-9-]{0,63})?$/.test(value)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isTime = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
  !Number.isNaN(Date.parse(value))

const REASONS = new Set(['expired', 'too-many-tries', 'lost', 'refused'])
const STATES = new Set(['success', 'failed', 'canceled'])
const LONGEST_TEXT = 256 * 1024
