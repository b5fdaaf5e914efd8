import type { OutputTotals } from '../store/output-store.ts'
import type { EndedJob, RejectedJob, RunningJob } from './job.ts'

/** What happens to jobs, in this order for each: created, started (if it could be), ended; or rejected alone. */
export type JobEvent =
  | { kind: 'created'; job: RunningJob }
  | { kind: 'started'; job: RunningJob }
  | { kind: 'ended'; job: EndedJob; totals: OutputTotals }
  /** `running` jobs had all the slots. */
  | { kind: 'rejected'; job: RejectedJob; running: number }

export type JobEventListener = (event: JobEvent) => void

/** The one stream of job events. A listener that throws hinders neither the job nor the other listeners. */
export const createJobEvents = (onListenerError: (error: unknown) => void) => {
  const listeners = new Set<JobEventListener>()
  return {
    /** Calls the listener with every event from now on, at once and in order; the result ends that. */
    subscribe(listener: JobEventListener): () => void {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    emit(event: JobEvent): void {
      for (const listener of listeners) {
        try {
          listener(event)
        } catch (error) {
          onListenerError(error)
        }
      }
    },
  }
}

export type JobEvents = ReturnType<typeof createJobEvents>
