import type { AgentClient } from '../../client/client.ts'
import type { Credentials } from '../../client/credentials.ts'
import type { Result } from '../../client/result.ts'
import type { SubmitRequest } from '../../client/types.ts'
import type { FleetLabel, Priority } from '../names.ts'
import type { QueueParameters } from './parameters.ts'
import type { QueuedJob } from './queued-job.ts'

export interface QueueOptions {
  /** A secret or a private key: what waits in a queue is signed (RFC 9421). */
  credentials: Exclude<Credentials, { token: string }>
  /** How long an engine that does not answer is tried again, in milliseconds; a minute by default. */
  patienceMs?: number | undefined
}

export interface QueueSubmitOptions extends Partial<QueueParameters> {
  /** It waits for an agent with this label. */
  label: FleetLabel
  priority?: Priority | undefined
  /** How long it may wait, in milliseconds; a day by default, seven days at most. */
  waitMs?: number | undefined
  /** Makes it safe to submit the same again: it is run once. A new one by default. */
  id?: string | undefined
}

export interface QueueCancelOptions {
  /** The agent of that name. */
  client(host: string): Pick<AgentClient, 'job'>
  /** The time between TERM and KILL, such as "10s". */
  grace?: string | undefined
}

/** The queue of a fleet, as who submits to it sees it. */
export interface Queue {
  /** Resolves when the engine has stored it. */
  submit(request: SubmitRequest, options: QueueSubmitOptions): Promise<Result<QueuedJob>>
  /** All that are known: those that have ended for a week. The newest first. */
  list(): Promise<Result<QueuedJob[]>>
  show(id: string): Promise<Result<QueuedJob>>
  /** Resolves when it has ended, is dead or canceled, however long that takes. */
  wait(id: string, options?: { signal?: AbortSignal | undefined }): Promise<Result<QueuedJob>>
  /** Takes it out of the queue; has its agent stop it if it runs. */
  cancel(id: string, options: QueueCancelOptions): Promise<Result<QueuedJob>>
  /** Submits once more what is dead and was signed by the same key, as another job. */
  retry(id: string, options?: Pick<QueueSubmitOptions, 'waitMs' | 'priority'>): Promise<Result<QueuedJob>>
}
