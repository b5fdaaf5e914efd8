import { ClientError, failed, type Result } from './result.ts'
import { isPassing, pause } from './retry.ts'
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
 * coming, so its end is waited for as well. Fails when both have failed.
 */
export const cancelJob = async (
  transport: Pick<Transport, 'call'>,
  path: string,
  { grace, wait }: CancelOptions,
): Promise<Result<Job>> => {
  const over = new AbortController()
  const { signal } = over
  let hasArrived = false
  let isLost = false
  void pause(ARRIVED_MS, signal).then(() => {
    hasArrived = true
  })
  /** Undefined when no answer comes any more: the cancel has arrived, and somebody on the way has given up. */
  const ask = async (): Promise<Result<Job> | undefined> => {
    const asked = await transport.call(`${path}/cancel`, isJob, {
      method: 'POST',
      body: { grace },
      timeoutMs: CANCEL_MS,
      isRepeatable: true, // If the first has ended the job, the second says so: `job-ended`.
      signal,
    })
    isLost = hasArrived && !asked.ok && asked.error.mayBeDone && isPassing(asked.error)
    return isLost ? undefined : asked
  }
  const look = async (): Promise<Result<Job>> => {
    while (true) {
      const isLast = isLost
      const ended = await wait({ signal })
      if (ended.ok && ended.value.reason !== 'canceled')
        return failed(new ClientError('job-ended', 'the job has ended', { status: 409 }))
      if (ended.ok || isLast || signal.aborted || !isPassing(ended.error)) return ended
      await pause(LOOK_MS, signal)
    }
  }
  try {
    const asking = ask()
    const early = await Promise.race([asking, pause(ASK_MS, signal)])
    if (early) return early
    const looking = look()
    return await Promise.race([
      asking.then(asked => asked ?? looking),
      looking.then(async ended =>
        ended.ok || ended.error.word === 'job-ended' ? ended : ((await asking) ?? ended),
      ),
    ])
  } finally {
    over.abort()
  }
}

/** A cancel without an answer for so long has arrived. */
const ARRIVED_MS = 5000
/** Shorter than what any proxy waits for. */
const ASK_MS = 20_000
/** Between looks that nobody answers. */
const LOOK_MS = 2000
/** The longest grace is days; whoever asks for one waits for it. */
const CANCEL_MS = 2 ** 31 - 1
