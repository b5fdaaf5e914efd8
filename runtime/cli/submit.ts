import { randomBytes } from 'node:crypto'
import type { AgentClient, JobHandle, SubmitRequest } from '../../lib/client/client.ts'
import { unwrap } from './ask.ts'
import { Failure } from './failure.ts'

export interface SubmitOptions {
  idempotencyKey?: string | undefined
  /** Gives up when no answer comes soon after it is aborted: then it is not known whether the job runs. */
  signal: AbortSignal
}

/** Submits a job. Throws ClientError, and Failure when it was given up. */
export const submitJob = async (
  client: AgentClient,
  request: SubmitRequest,
  { idempotencyKey = randomBytes(16).toString('hex'), signal }: SubmitOptions,
): Promise<JobHandle> => {
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const giveUpSoon = () => {
    timer = setTimeout(() => late.abort(), LAST_ANSWER_MS)
  }
  signal.addEventListener('abort', giveUpSoon, { once: true })
  try {
    const submitted = await client.submit(request, { idempotencyKey, signal: late.signal })
    if (late.signal.aborted) throw new Failure(notKnown(idempotencyKey))
    return unwrap(submitted)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUpSoon)
  }
}

const LAST_ANSWER_MS = 1500

const notKnown = (key: string): string =>
  `given up before the agent has answered, so the job may run: newdt ps; the same with --idempotency-key ${key} shows it`
