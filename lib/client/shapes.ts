import type { Agent, Job, JobEvent, JobProcess, ListedJob } from './types.ts'

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

export const isCount: Shape<number> = (value): value is number => Number.isInteger(value)

export const isAgent: Shape<Agent> = (value): value is Agent => {
  if (!hasFields(value, AGENT) || !hasFields(value.caller, { id: 'string' })) return false
  const { rights } = value.caller
  return Array.isArray(rights) && rights.every(right => typeof right === 'string')
}

export const isProcessList: Shape<JobProcess[]> = (value): value is JobProcess[] =>
  Array.isArray(value) &&
  value.every(one => hasFields(one, PROCESS) && hasFields(one.cpu, { user: 'number', system: 'number' }))

export const isChunk: Shape<ChunkData> = (value): value is ChunkData => hasFields(value, CHUNK)

export const isDropped: Shape<{ bytes: number | null }> = (value): value is { bytes: number | null } =>
  isObject(value) && (value.bytes === null || typeof value.bytes === 'number')

type Chunk = Extract<JobEvent, { seq: number }>
/** A chunk as it is sent. */
export type ChunkData = Omit<Chunk, 'type' | 'bytes'> & { base64: string }

type Kind = 'string' | 'number' | 'boolean'
type Fields = Record<string, Kind>

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hasFields = (value: unknown, fields: Fields): value is Record<string, unknown> =>
  isObject(value) && Object.entries(fields).every(([name, kind]) => typeof value[name] === kind)

const JOB = {
  cmd: 'string',
  params: 'string',
  scriptName: 'string',
  pid: 'number',
  state: 'string',
  stdout: 'string',
  stderr: 'string',
  exitCode: 'number',
  execCmd: 'string',
  error: 'string',
  createTime: 'string',
  startTime: 'string',
  finishTime: 'string',
  reason: 'string',
  signal: 'string',
  caller: 'string',
} satisfies Partial<Record<keyof Job, Kind>>

const AGENT = {
  version: 'string',
  running: 'number',
  limit: 'number',
  stopping: 'boolean',
  draining: 'boolean',
} satisfies Partial<Record<keyof Agent, Kind>>

const PROCESS = {
  pid: 'number',
  parent: 'number',
  state: 'string',
  command: 'string',
  residentBytes: 'number',
} satisfies Partial<Record<keyof JobProcess, Kind>>

const CHUNK = {
  seq: 'number',
  time: 'string',
  position: 'number',
  base64: 'string',
} satisfies Record<keyof ChunkData, Kind>
