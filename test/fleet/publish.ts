import { setTimeout } from 'node:timers/promises'
import type { QueueSubmitOptions } from '../../lib/fleet/queue/queue.ts'
import type { Publisher } from '../support/fleet-queue.ts'
import type { Random } from './random.ts'

export interface Published {
  id: string
  once: boolean
  /** Wall time in milliseconds, when the engine had confirmed it. */
  at: number
}

export interface PublishOptions {
  publisher: Publisher
  jobs: number
  /** How many a second; as fast as it goes when absent. */
  rate?: number | undefined
  /** They do nothing but say that they run. */
  isQuick?: boolean | undefined
  random: Random
  onPublished(published: Published): void
}

/** Publishes jobs of a few milliseconds to two seconds, some of which must run once at most. */
export const publishJobs = async ({
  publisher,
  jobs,
  rate,
  isQuick = false,
  random,
  onPublished,
}: PublishOptions): Promise<void> => {
  const since = performance.now()
  const underWay = new Set<Promise<void>>()
  for (let number = 0; number < jobs; number++) {
    const seconds = durationOf(random)
    const id = `job-${String(number).padStart(6, '0')}-${Math.floor(random.next() * 1e9)}`
    const once = random.next() < 0.05
    const options: Partial<QueueSubmitOptions> = { id, once, tries: 20 }
    const one = publisher
      .submit(
        `echo "${id} $FLEET_HOST $EPOCHREALTIME" >> "$FLEET_RUNS"${isQuick ? '' : `; sleep ${seconds.toFixed(3)}`}`,
        options,
      )
      .then(() => onPublished({ id, once, at: Date.now() }))
      .finally(() => underWay.delete(one))
    underWay.add(one)
    if (underWay.size >= AT_ONCE) await Promise.race(underWay)
    const due = rate === undefined ? 0 : (number / rate) * 1000 - (performance.now() - since)
    if (due > 0) await setTimeout(due)
  }
  await Promise.all(underWay)
}

const durationOf = (random: Random): number => {
  const kind = random.next()
  if (kind < 0.7) return random.between(0.002, 0.05)
  return kind < 0.95 ? random.between(0.05, 0.5) : random.between(0.5, 2)
}

const AT_ONCE = 16
