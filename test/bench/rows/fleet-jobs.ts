import type { Bench } from '../bench.ts'
import { type Fleet, startFleet } from '../fleet.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import type { Outcome, Row } from '../row.ts'

/** Jobs that wait in a queue until all their ends are recorded; agents, engine and publisher share the processors. */
export const fleetJobs: Row = {
  number: 9,
  title: 'A fleet, jobs a second from the queue',
  async run(bench) {
    const { options, progress, tools } = bench
    const fleets = tools.natsServer === undefined ? [] : await startFleets(bench)
    try {
      const contestants = fleets.map(([size, fleet]) => contestantOf(nameOf(size), fleet, bench))
      return outcomeOf(await runRounds(contestants, options.rounds, progress))
    } finally {
      for (const [, fleet] of fleets) await fleet.close()
    }
  },
}

const startFleets = async (bench: Bench): Promise<[size: number, fleet: Fleet][]> => {
  const fleets: [number, Fleet][] = []
  for (const size of sizesOf(bench)) fleets.push([size, await startFleet(bench, bench.checkouts[0]!, size)])
  return fleets
}

/** Twenty agents take a while to start. */
const sizesOf = ({ options }: Bench): number[] => (options.seconds < 1 ? [1, 2] : [1, 5, 20])

const nameOf = (size: number): string => (size === 1 ? '1 agent' : `${size} agents`)

const contestantOf = (name: string, fleet: Fleet, { options }: Bench): Contestant => {
  const measure = async (jobs: number) => {
    const begin = performance.now()
    let left = jobs
    const publisher = async (): Promise<void> => {
      while (left-- > 0) await fleet.enqueue(':')
    }
    await Promise.all(Array.from({ length: PUBLISHERS }, publisher))
    await fleet.untilEmpty()
    return { jobsPerSecond: (jobs / (performance.now() - begin)) * 1000, jobs }
  }
  const jobs = Math.min(2000, Math.max(20, Math.round(options.seconds * 400)))
  return { name, warmUp: () => measure(Math.min(200, jobs)), measure: () => measure(jobs) }
}

const PUBLISHERS = 16

const outcomeOf = (results: Results): Outcome => ({
  results,
  columns: [
    { title: 'jobs/s', digits: 0, of: name => results.median(name, 'jobsPerSecond') },
    { title: 'spread', digits: 0, of: name => results.spread(name, 'jobsPerSecond') },
    { title: '× 1 agent', digits: 2, of: name => results.ratio(name, nameOf(1), 'jobsPerSecond') },
  ],
  goals: [],
})
