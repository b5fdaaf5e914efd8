import { type KV, KvWatchInclude } from '@nats-io/kv'
import { aborted, ClientError, failed, type Result, success } from '../../client/result.ts'
import { pause } from '../../client/retry.ts'
import { died } from './changes.ts'
import { isFinal, type QueuedJob } from './queued-job.ts'
import type { QueueRecords } from './records.ts'

export interface WaitOptions {
  records: Pick<QueueRecords, 'get' | 'set'>
  opened(): Promise<Pick<KV, 'watch'>>
  signal: AbortSignal | undefined
  /** Whether the connection is closed for good. */
  isClosed(): boolean
  /** Wall time in milliseconds, by the clock of who waits. */
  now?(): number
}

/**
 * Waits until a queued job is final. It is told of changes, and looks now and then besides: what it would be told of
 * may be lost while the engine is away. One that has expired without anybody taking it is recorded as such from here.
 */
export const waitForEnd = async (id: string, options: WaitOptions): Promise<Result<QueuedJob>> => {
  const { records, opened, signal, isClosed, now = Date.now } = options
  const look = createLook(id, records, now)
  const over = new AbortController()
  const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal
  let tell = (): void => {}
  void watch(id, opened, either, () => tell())
  try {
    while (!signal?.aborted) {
      const told = Promise.withResolvers<void>()
      tell = told.resolve
      const found = await look().catch(() => undefined)
      if (found && (!found.job || isFinal(found.job)))
        return found.job
          ? success(found.job)
          : failed(new ClientError('unknown-job', `there is no queued job ${id}`, { status: 404 }))
      if (isClosed()) return failed(new ClientError('unreachable', 'the connection to the engine is closed'))
      await Promise.race([told.promise, pause(LOOK_MS, either)])
    }
    return failed(aborted(signal))
  } finally {
    over.abort()
  }
}

/**
 * What has expired is recorded only when the engine's clock says so, too: that of who waits may be hours ahead. The
 * engine tells the time with what is written, so the record is written once more as it is.
 */
const createLook = (id: string, records: WaitOptions['records'], now: () => number) => {
  /** By how much the engine's clock is ahead of this one. */
  let aheadMs = 0

  return async (): Promise<{ job: QueuedJob | undefined }> => {
    const { job, revision } = await records.get(id)
    if (job?.state !== 'waiting') return { job }
    const isOver = (): boolean => now() + aheadMs >= Date.parse(job.expiresAt) + EXPIRED_MS
    if (!isOver()) return { job }
    const again = await records.set(job, revision)
    const written = await records.get(id)
    if (again === undefined || written.revision !== again) return { job: written.job }
    aheadMs = written.writtenAt - now()
    if (!isOver()) return { job }
    const dead = died(job, 'expired', new Date(written.writtenAt).toISOString())!
    return { job: (await records.set(dead, again)) === undefined ? job : dead }
  }
}

/** Calls `tell` at each change, as long as the engine says so. */
const watch = async (
  id: string,
  opened: WaitOptions['opened'],
  signal: AbortSignal,
  tell: () => void,
): Promise<void> => {
  try {
    const entries = await (await opened()).watch({ key: id, include: KvWatchInclude.UpdatesOnly })
    const stop = () => entries.stop()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    for await (const _ of entries) tell()
  } catch {
    // Looking now and then does as well.
  }
}

const LOOK_MS = 5000
/** What waits is only recorded as expired when no agent can be at it any more. */
const EXPIRED_MS = 60_000
