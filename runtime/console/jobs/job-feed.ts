import { batch, computed, type ReadonlySignal, signal } from '@preact/signals'
import { ClientError, type ListedJob, type WatchEvent } from '../../../lib/client/client.ts'
import { pause } from '../../../lib/client/retry.ts'
import type { Session } from '../session.ts'
import { whileVisible } from '../while-visible.ts'

export interface JobFeedListener {
  /** What was known may be out of date: lists are to be read anew. */
  onReset(): void
  /** Jobs as they are now, each once; several at a time when many change. */
  onJobs(jobs: readonly ListedJob[]): void
}

/** What happens to all jobs, as it happens; after a broken connection it goes on where it was. */
export interface JobFeed {
  /** Begins; the result ends it. */
  follow(): () => void
  subscribe(listener: JobFeedListener): () => void
  /** How many jobs run now; while it is not followed, as the agent has told when it was last asked. */
  running: ReadonlySignal<number>
  /** `refused`: what one has signed in with is not good any more. */
  connection: ReadonlySignal<'there' | 'lost' | 'refused'>
  /**
   * Resolves when all that happens from now on is told; a moment after `follow` at the latest, because a proxy may hold
   * back what comes. What is read before that is read again with the first reset.
   */
  begun: Promise<void>
}

export const createJobFeed = (session: Pick<Session, 'live' | 'agent' | 'refresh' | 'refusal'>): JobFeed => {
  const isFollowed = signal(false)
  const told = signal(session.agent.peek().running)
  const running = computed(() => (isFollowed.value ? told.value : session.agent.value.running))
  const connection = signal<'there' | 'lost' | 'refused'>('there')
  const listeners = new Set<JobFeedListener>()
  const changes = createBatches((jobs, runningNow) => {
    told.value = runningNow
    for (const listener of listeners) listener.onJobs(jobs)
  })

  let position: string | undefined
  const begun = Promise.withResolvers<void>()
  const take = (event: WatchEvent): void => {
    connection.value = 'there'
    if (event.type !== 'agent') position = event.position
    switch (event.type) {
      case 'job':
        changes.add(event.job, event.running)
        break
      case 'agent': {
        const { draining, stopping } = session.agent.peek()
        if (event.draining !== draining || event.stopping !== stopping) void session.refresh()
        break
      }
      case 'reset':
        void session.refresh() // It may be another agent, with other rights.
        changes.handOver()
        batch(() => {
          told.value = event.running
          for (const listener of listeners) listener.onReset()
        })
        begun.resolve()
        break
      default:
        event satisfies never
    }
  }
  const read = async (signal: AbortSignal): Promise<void> => {
    const onConnection = (isThere: boolean) => {
      connection.value = isThere ? 'there' : 'lost'
    }
    for await (const event of session.live.watch({ after: position, signal, onConnection })) take(event)
  }
  /** Goes on after any failure: a proxy may have answered, and a key may get a right back that it has lost. */
  const readOn = async (signal: AbortSignal): Promise<void> => {
    while (true) {
      const error = await read(signal).catch((error: unknown) => error)
      if (signal.aborted) return
      if (error instanceof ClientError && (error.status === 401 || error.status === 403)) {
        connection.value = error.status === 401 ? 'refused' : 'there'
        // Who asks what the agent tells of itself notices when this is over.
        await session.refresh()
        do await pause(AGAIN_MS, signal)
        while (!signal.aborted && session.refusal.peek())
        continue
      }
      connection.value = 'lost'
      await pause(AGAIN_MS, signal)
    }
  }

  return {
    running,
    connection,
    begun: begun.promise,

    follow() {
      setTimeout(begun.resolve, MOMENT_MS)
      told.value = session.agent.peek().running
      isFollowed.value = true
      const end = whileVisible(readOn, () => {})
      return () => {
        end()
        isFollowed.value = false
        if (connection.peek() === 'lost') connection.value = 'there'
      }
    },

    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** Collects jobs, and hands them over shortly after the first; while many change, a few times a second. */
const createBatches = (tell: (jobs: readonly ListedJob[], running: number) => void) => {
  const pending = new Map<string, ListedJob>()
  let running = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let handedOverAt = 0

  const handOver = (): void => {
    clearTimeout(timer)
    handedOverAt = performance.now()
    const jobs = [...pending.values()]
    pending.clear()
    if (jobs.length > 0) batch(() => tell(jobs, running))
  }
  return {
    handOver,
    add(job: ListedJob, runningNow: number): void {
      if (pending.size === 0)
        timer = setTimeout(handOver, Math.max(SOON_MS, handedOverAt + BURST_MS - performance.now()))
      pending.set(job.id, job)
      running = runningNow
    },
  }
}

/** Shorter than anybody sees. Not by the next frame: a page in the background has none. */
const SOON_MS = 50
/** Nobody reads faster, and each drawing may be of a whole screen. */
const BURST_MS = 250

/** One who waits for the first rows does not see it. */
const MOMENT_MS = 300
/** Those who wait see that it goes on, and whoever refuses is not pressed. */
const AGAIN_MS = 5000
