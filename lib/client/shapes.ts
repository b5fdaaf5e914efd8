import type { Agent, AgentHistory, Job, JobEvent, JobProcess, ListedJob, WatchEvent } from './types.ts'

/**
 * What an answer must be to be believed: something else than an agent may answer too, and in the same envelope. Fields
 * that are not known are let pass.
 */
export type Shape<T> = (value: unknown) => value is T

export const isJobId = (id: unknown): boolean => typeof id === 'string' && /^[0-9a-f]{32}$/.test(id)

/** What has become of a submission: its job must be found again, whatever else is told of it. */
export const hasJobId: Shape<{ id: string }> = (value): value is { id: string } =>
  isObject(value) && isJobId(value.id)

export const isJob: Shape<Job> = (value): value is Job =>
  hasFields(value, JOB) && isJobId(value.id) && isObject(value.labels)

export const isJobList: Shape<ListedJob[]> = (value): value is ListedJob[] =>
  Array.isArray(value) && value.every(isJob)

export const isCount: Shape<number> = (value): value is number => KINDS.count(value)

export const isAgent: Shape<Agent> = (value): value is Agent => {
  if (!hasFields(value, AGENT) || !hasFields(value.caller, { id: 'text' })) return false
  const { limits = {}, users = {}, startTime, host, disk = null, store = {}, fleet = null } = value
  if (startTime !== undefined && !KINDS.time(startTime)) return false
  if (!isObject(limits) || !Object.values(limits).every(isSupport) || !isSupport(users)) return false
  if (host !== undefined && !hasFields(host, HOST)) return false
  if (disk !== null && !hasFields(disk, DISK)) return false
  if (fleet !== null && !hasFields(fleet, FLEET)) return false
  if (!isObject(store) || !KINDS.countOrNone(store.bytes ?? null)) return false
  const { rights, bounds = {} } = value.caller
  if (!isBounds(bounds)) return false
  return Array.isArray(rights) && rights.every(right => typeof right === 'string')
}

const isBounds = (value: unknown): boolean => {
  if (!isObject(value)) return false
  const { commands = [], cwd = [], timeoutMs = 0, running = 0 } = value
  return isTexts(commands) && isTexts(cwd) && KINDS.count(timeoutMs) && KINDS.count(running)
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(KINDS.text)

export const isHistory: Shape<AgentHistory> = (value): value is AgentHistory =>
  hasFields(value, { everyMs: 'count' }) &&
  Array.isArray(value.samples) &&
  value.samples.every(sample => hasFields(sample, SAMPLE))

export const isProcessList: Shape<JobProcess[]> = (value): value is JobProcess[] =>
  Array.isArray(value) &&
  value.every(one => hasFields(one, PROCESS) && hasFields(one.cpu, { user: 'span', system: 'span' }))

export const isChunk: Shape<ChunkData> = (value): value is ChunkData => hasFields(value, CHUNK)

export const isDropped: Shape<{ bytes: number | null }> = (value): value is { bytes: number | null } =>
  isObject(value) && (value.bytes === null || KINDS.count(value.bytes))

/** What goes back to the agent as it came. */
export const isPosition = (id: string): boolean => /^[\w.-]{1,64}$/.test(id)

export const isRunning: Shape<{ running: number }> = (value): value is { running: number } =>
  hasFields(value, { running: 'count' })

type JobChange = Extract<WatchEvent, { type: 'job' }>
export const isJobChange: Shape<Pick<JobChange, 'running' | 'job'>> = (value): value is JobChange =>
  isRunning(value) && 'job' in value && isJob(value.job)

type AgentState = Extract<WatchEvent, { type: 'agent' }>
export const isAgentState: Shape<Omit<AgentState, 'type'>> = (value): value is AgentState =>
  hasFields(value, { draining: 'flag', stopping: 'flag' })

type Chunk = Extract<JobEvent, { seq: number }>
/** A chunk as it is sent. */
export type ChunkData = Omit<Chunk, 'type' | 'bytes'> & { base64: string }

/** What a field must be. Words may be newer than the client, but do nothing to a terminal. */
const KINDS = {
  text: value => typeof value === 'string',
  flag: value => typeof value === 'boolean',
  integer: Number.isSafeInteger,
  count: value => Number.isSafeInteger(value) && (value as number) >= 0,
  countOrNone: value => value === null || (Number.isSafeInteger(value) && (value as number) >= 0),
  /** Seconds, or another measure. */
  span: value => Number.isFinite(value) && (value as number) >= 0,
  word: value => typeof value === 'string' && /^[a-z][a-z0-9-]{0,31}$/.test(value),
  wordOrNone: value => typeof value === 'string' && /^([a-z][a-z0-9-]{0,31})?$/.test(value),
  signalOrNone: value => typeof value === 'string' && /^(SIG[A-Z0-9+]{1,16})?$/.test(value),
  /** RFC 3339. */
  time: value =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value),
} satisfies Record<string, (value: unknown) => boolean>

type Fields = Record<string, keyof typeof KINDS>

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hasFields = (value: unknown, fields: Fields): value is Record<string, unknown> =>
  isObject(value) && Object.entries(fields).every(([name, kind]) => KINDS[kind](value[name]))

/** What keeps something, or what is missing for it; agents of before tell neither. */
const isSupport = (value: unknown): boolean =>
  isObject(value) && (value.missing === undefined || typeof value.missing === 'string')

const JOB = {
  cmd: 'text',
  params: 'text',
  scriptName: 'text',
  pid: 'count',
  state: 'word',
  stdout: 'text',
  stderr: 'text',
  exitCode: 'integer',
  execCmd: 'text',
  error: 'text',
  createTime: 'time',
  startTime: 'time',
  finishTime: 'time',
  reason: 'wordOrNone',
  signal: 'signalOrNone',
  caller: 'text',
} satisfies Partial<Record<keyof Job, Fields[string]>>

const AGENT = {
  version: 'text',
  running: 'count',
  limit: 'count',
  stopping: 'flag',
  draining: 'flag',
} satisfies Partial<Record<keyof Agent, Fields[string]>>

const HOST = {
  name: 'text',
  system: 'text',
  release: 'text',
  machine: 'text',
  cpus: 'count',
  memoryBytes: 'count',
} satisfies Record<keyof NonNullable<Agent['host']>, Fields[string]>

const DISK = {
  freeBytes: 'count',
  totalBytes: 'count',
} satisfies Record<keyof NonNullable<Agent['disk']>, Fields[string]>

const FLEET = {
  name: 'text',
  state: 'word',
  queue: 'word',
} satisfies Partial<Record<keyof NonNullable<Agent['fleet']>, Fields[string]>>

const SAMPLE = {
  time: 'time',
  running: 'count',
  started: 'count',
  ended: 'count',
  failed: 'count',
  rejected: 'count',
  cpu: 'span',
  residentBytes: 'count',
  load: 'span',
} satisfies Record<keyof AgentHistory['samples'][number], Fields[string]>

const PROCESS = {
  pid: 'count',
  parent: 'count',
  state: 'text',
  command: 'text',
  residentBytes: 'count',
} satisfies Partial<Record<keyof JobProcess, Fields[string]>>

const CHUNK = {
  seq: 'count',
  time: 'time',
  position: 'count',
  base64: 'text',
} satisfies Record<keyof ChunkData, Fields[string]>
