import { batch, type ReadonlySignal, signal } from '@preact/signals'
import type { JobProcess } from '../../../lib/client/client.ts'
import { every } from '../every.ts'
import type { Session } from '../session.ts'
import { whileVisible } from '../while-visible.ts'
import type { FollowedJob } from './follow-job.ts'
import { type Look, type Sample, sampleOf, withSample } from './job-use.ts'

export interface UseWatch {
  processes: ReadonlySignal<readonly JobProcess[] | undefined>
  samples: ReadonlySignal<readonly Sample[]>
  /** Looks every two seconds while the page is seen; the result ends it. */
  follow(): () => void
}

/** What a running job uses, as it is looked at again and again. What it tells of the job itself is given to `followed`. */
export const createUseWatch = ({ client }: Pick<Session, 'client'>, followed: FollowedJob): UseWatch => {
  const job = client.job(followed.id)
  const processes = signal<readonly JobProcess[] | undefined>(undefined)
  const samples = signal<readonly Sample[]>([])

  const look = async (signal: AbortSignal): Promise<Look | undefined> => {
    const [known, listed] = await Promise.all([job.get({ output: false, signal }), job.processes({ signal })])
    // It may have ended between the two, and is told of an end by its events. Another failure passes, or they tell it.
    if (!known.ok || !listed.ok || known.value.state !== 'running') return undefined
    return { at: Date.now(), processes: listed.value, usage: known.value.usage }
  }

  const watch = (signal: AbortSignal): Promise<void> => {
    let before: Look | undefined
    const lookAgain = async (): Promise<void> => {
      const now = await look(signal)
      if (signal.aborted || !now) return
      batch(() => {
        processes.value = now.processes
        samples.value = withSample(samples.peek(), sampleOf(now, before))
        followed.setUsage(now.usage)
      })
      before = now
    }
    return every(LOOK_MS, lookAgain, signal)
  }

  return { processes, samples, follow: () => whileVisible(watch, () => {}) }
}

const LOOK_MS = 2000
