import { within } from '../../lib/base/within.ts'
import { askHost } from './ask.ts'
import { type Candidate, jobCandidate, meaningOf } from './candidate.ts'
import type { Cli } from './cli.ts'
import { openFleet } from './open-fleet.ts'

/** What of a fleet may stand in a place; nothing of what is not known soon. Rejects when its engine is away. */
export const fleetCandidates = async (cli: Cli) => {
  const fleet = await openFleet(cli, LONGEST_WAIT_MS)
  const soon = async (found: Promise<Candidate[]>): Promise<Candidate[]> =>
    (await within(
      found.catch(() => []),
      LONGEST_WAIT_MS,
    )) ?? []

  const queued = async (): Promise<Candidate[]> => {
    const listed = await fleet.fleet().queue.list()
    if (!listed.ok) return []
    return listed.value
      .slice(0, MOST_OFFERED)
      .map(({ id, state, summary }) => ({ value: id, meaning: meaningOf(`${state} ${summary}`) }))
  }

  const jobsOn = async (name: string, isRunning: boolean): Promise<Candidate[]> => {
    const { client } = await askHost(fleet.host(name))
    const signal = AbortSignal.timeout(LONGEST_WAIT_MS)
    const listed = await client.list({ limit: 10, ...(isRunning ? { state: 'running' } : {}) }, { signal })
    return listed.ok ? listed.value.map(jobCandidate) : []
  }

  const jobs = async (isRunning: boolean): Promise<Candidate[]> => {
    const hosts = await fleet.hosts()
    // Of a large fleet nobody would read them all.
    const lists = hosts.slice(0, MOST_OFFERED).map(({ name }) => soon(jobsOn(name, isRunning)))
    return (await Promise.all(lists)).flat().sort((a, b) => (a.value < b.value ? 1 : -1))
  }

  return {
    hosts: () =>
      soon(
        fleet.hosts().then(found => {
          // Two may have one name.
          const byName = new Map(found.map(({ name, labels }) => [name, labelTexts(labels).join(' ')]))
          return [...byName].map(([value, meaning]) => ({ value, meaning }))
        }),
      ),
    labels: () =>
      soon(
        fleet.hosts().then(found => {
          const all = new Set(found.flatMap(({ labels }) => labelTexts(labels)))
          return [...all].sort().map(value => ({ value, meaning: 'label' }))
        }),
      ),
    queued: () => soon(queued()),
    ids: async (isRunning: boolean) => (await Promise.all([soon(queued()), jobs(isRunning)])).flat(),
  }
}

const labelTexts = (labels: Record<string, string>): string[] =>
  Object.entries(labels).map(label => label.join('='))

/** Somebody sits there, and the shell takes no key meanwhile. */
const LONGEST_WAIT_MS = 1000
const MOST_OFFERED = 50
