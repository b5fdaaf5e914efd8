import { batch, type ReadonlySignal, signal } from '@preact/signals'
import { ClientError, type Job, type JobEvent } from '../../../lib/client/client.ts'
import { createOutput, type Output } from '../output/output.ts'
import type { Session } from '../session.ts'
import { whileVisible } from '../while-visible.ts'

/** One job as it is, and what it writes; of one stream of events, which goes on where it was when it has broken. */
export interface FollowedJob {
  id: string
  /** Undefined until the agent has told of it. */
  job: ReadonlySignal<Job | undefined>
  output: ReadonlySignal<Output | undefined>
  /** How many bytes it has written, as far as they have come. */
  writtenBytes: ReadonlySignal<number>
  isConnected: ReadonlySignal<boolean>
  /** Why nothing more comes. */
  error: ReadonlySignal<ClientError | undefined>
  /** It ran when one began to look, and has ended since. */
  hasEndedMeanwhile: ReadonlySignal<boolean>
  /** Begins; the result ends it. */
  follow(): () => void
  /** What it uses now, which events do not tell. */
  setUsage(usage: Job['usage'] | undefined): void
}

export const createFollowedJob = ({ live }: Pick<Session, 'live'>, id: string): FollowedJob => {
  const job = signal<Job | undefined>(undefined)
  const output = signal<Output | undefined>(undefined)
  const writtenBytes = signal(0)
  const isConnected = signal(true)
  const error = signal<ClientError | undefined>(undefined)
  const hasEndedMeanwhile = signal(false)

  const set = (told: Job): Output => {
    batch(() => {
      hasEndedMeanwhile.value ||= job.peek()?.state === 'running' && told.state !== 'running'
      job.value = told
      output.value ??= createOutput({ encoding: told.encoding })
      writtenBytes.value = Math.max(writtenBytes.peek(), told.stdoutBytes + told.stderrBytes)
    })
    return output.peek()!
  }

  const take = async (event: JobEvent): Promise<void> => {
    if ('job' in event) {
      // The end of the output is to be seen no later than that of the job.
      if (event.type !== 'start') await output.peek()?.feed(event)
      const shown = set(event.job)
      if (event.type === 'start') await shown.feed(event)
      return
    }
    await output.peek()?.feed(event)
    if ('seq' in event)
      writtenBytes.value = Math.max(writtenBytes.peek(), event.position + event.bytes.length)
  }

  let after = 0
  const read = async (signal: AbortSignal): Promise<void> => {
    const onConnection = (isThere: boolean) => {
      isConnected.value = isThere
    }
    for await (const event of live.job(id).events({ after, signal, onConnection })) {
      if ('seq' in event) after = event.seq
      await take(event)
    }
  }

  return {
    id,
    job,
    output,
    writtenBytes,
    isConnected,
    error,
    hasEndedMeanwhile,

    follow() {
      error.value = undefined
      return whileVisible(read, thrown => {
        if (!(thrown instanceof ClientError)) throw thrown
        error.value = thrown
      })
    },

    setUsage(usage) {
      const known = job.peek()
      // What was asked while it ran may be answered after its end.
      if (usage && known?.state === 'running') job.value = { ...known, usage }
    },
  }
}
