import { ClientError, failed, type Result } from './result.ts'
import { pause } from './retry.ts'
import { isJob } from './shapes.ts'
import type { Transport } from './transport.ts'
import type { Job } from './types.ts'

interface CancelOptions {
  /** The time between TERM and KILL, such as "10s". */
  grace: string | undefined
  /** Resolves when the job has ended. */
  wait(options: { signal: AbortSignal }): Promise<Result<Job>>
}

/**
 * Resolves when nothing of the job lives any more, however long that takes. It is asked once: an agent that is asked
 * again sends TERM again. But `fetch` (Node's after five minutes) and proxies give up an answer that is long in
 * coming, so its end is waited for as well.
 */
export const cancelJob = async (
  transport: Pick<Transport, 'call'>,
  path: string,
  { grace, wait }: CancelOptions,
): Promise<Result<Job>> => {
  const over = new AbortController()
  const { signal } = over
  const asking = transport.call(`${path}/cancel`, isJob, {
    method: 'POST',
    body: { grace },
    timeoutMs: CANCEL_MS,
    isRepeatable: true, // If the first has ended the job, the second says so: `job-ended`.
    signal,
  })
  try {
    const asked = await Promise.race([asking, pause(ASK_MS, signal)])
    if (asked) return asked
    const ended = await wait({ signal })
    // Who may cancel a job need not be allowed to look at it.
    if (!ended.ok && ended.error.word === 'forbidden') return await asking
    if (!ended.ok || ended.value.reason === 'canceled') return ended
    return failed(new ClientError('job-ended', 'the job has ended', { status: 409 }))
  } finally {
    over.abort()
  }
}

/** Shorter than what any proxy waits for. */
const ASK_MS = 20_000
/** The longest grace is days; whoever asks for one waits for it. */
const CANCEL_MS = 2 ** 31 - 1
