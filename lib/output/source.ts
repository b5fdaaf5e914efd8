import type { Notifier } from './notifier.ts'

/** The job whose output is read, as far as a reader needs to know it. */
export interface OutputSource {
  /** Of the job in the store. */
  number: number
  encoding: string
  /** Tells of newly stored output while the job runs; undefined once it has ended. */
  running(): Notifier | undefined
  /** Whether the job is still stored. */
  exists(): boolean
}
