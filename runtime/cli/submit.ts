import { randomBytes } from 'node:crypto'
import { type AgentClient, ClientError, type JobHandle, type SubmitRequest } from '../../lib/client/client.ts'
import { Failure } from './failure.ts'

export interface SubmitOptions {
  idempotencyKey?: string | undefined
  /** Gives up when no answer comes soon after it is aborted: then it is not known whether the job runs. */
  signal: AbortSignal
  /** What is said of one that may run, by the key that it was sent with. */
  mayRun?: (key: string) => string
}

/** Submits a job. Throws ClientError, and Failure when it was given up. */
export const submitJob = async (
  client: Pick<AgentClient, 'submit'>,
  request: SubmitRequest,
  { idempotencyKey = randomBytes(16).toString('hex'), signal, mayRun = mayRunHere }: SubmitOptions,
): Promise<JobHandle> => {
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const giveUpSoon = () => {
    timer = setTimeout(() => late.abort(), LAST_ANSWER_MS)
  }
  if (signal.aborted) giveUpSoon()
  else signal.addEventListener('abort', giveUpSoon, { once: true })
  try {
    const submitted = await client.submit(request, { idempotencyKey, signal: late.signal })
    // One that comes at the last moment is an answer too.
    if (submitted.ok) return submitted.value
    const { error } = submitted
    if (error.word === 'aborted')
      throw new Failure(`given up before the agent has answered, so ${mayRun(idempotencyKey)}`)
    if (!error.mayBeDone) throw error
    throw new ClientError(error.word, `${error.message}; ${mayRun(idempotencyKey)}`, {
      ...error,
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUpSoon)
  }
}

const LAST_ANSWER_MS = 1500

const mayRunHere = (key: string): string =>
  `the job may run: newdt ps; the same with --idempotency-key ${key} shows it`
