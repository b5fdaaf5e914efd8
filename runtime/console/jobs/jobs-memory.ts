import { type Signal, signal } from '@preact/signals'
import { agentNow } from '../agent-clock.ts'
import type { Session } from '../session.ts'
import { filterAddress, type JobFilter } from './filter.ts'
import type { JobFeed } from './job-feed.ts'
import { createJobList, type JobList } from './job-list.ts'

/** What the page of jobs keeps while one looks at another page: it is there at once, and where one was. */
export interface JobsMemory {
  /** The list for a filter, which `follow` begins; `before` is what was shown until then, while this one is not read. */
  listFor(filter: JobFilter): { list: JobList; before: JobList | undefined }
  /** Reads and follows this list, and no other any more. */
  follow(list: JobList): void
  /** Nothing is followed any more. */
  close(): void
  /** The id of the job that keys act on. */
  selected: Signal<string | undefined>
  /** How far one had scrolled when one left. */
  scrolled: number
}

export const createJobsMemory = (session: Session, feed: JobFeed): JobsMemory => {
  let current: { address: string; list: JobList } | undefined
  let before: JobList | undefined
  let followed: JobList | undefined
  const memory: JobsMemory = {
    selected: signal(undefined),
    scrolled: 0,

    listFor(filter) {
      const address = filterAddress(filter)
      if (current?.address !== address) {
        before = current?.list.isRead.peek() ? current.list : before
        const list = createJobList({
          client: session.client,
          feed,
          filter,
          now: agentNow,
          mayForget: () => memory.scrolled < NEAR_TOP,
        })
        current = { address, list }
      }
      return { list: current.list, before }
    },

    follow(list) {
      if (list === followed) return
      followed?.close()
      followed = list
      list.follow()
    },

    close: () => followed?.close(),
  }
  return memory
}

/** In pixels. */
const NEAR_TOP = 400
