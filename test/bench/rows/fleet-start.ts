import type { AgentClient } from '../../../lib/client/client.ts'
import type { Bench } from '../bench.ts'
import { type Fleet, startFleet } from '../fleet.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import { atMost, type Outcome, type Row } from '../row.ts'
import { percentile } from '../statistics.ts'

/** From the moment in which somebody asks for a job to the moment in which its process runs; all on one host. */
export const fleetStart: Row = {
  number: 9,
  title: 'A fleet, from asking to the start of the job',
  async run(bench) {
    const { options, progress, tools, checkouts } = bench
    if (tools.natsServer === undefined) return outcomeOf(await runRounds([], options.rounds, progress))
    const fleet = await startFleet(bench, checkouts[0]!, 1)
    try {
      return outcomeOf(await runRounds(contestantsOf(fleet, bench), options.rounds, progress))
    } finally {
      await fleet.close()
    }
  },
}

const contestantsOf = (fleet: Fleet, { options }: Bench): Contestant[] => {
  const jobs = Math.min(400, Math.max(10, Math.round(options.seconds * 60)))
  const ways: [name: string, startOne: () => Promise<number>][] = [
    [BY_HTTP, () => directly(fleet.byHttp)],
    [BY_ENGINE, () => directly(fleet.byEngine)],
    [QUEUED, () => throughQueue(fleet)],
  ]
  return ways.map(([name, startOne]) => {
    const measure = async (count = jobs) => {
      const waits: number[] = []
      for (let at = 0; at < count; at++) waits.push(await startOne())
      return { p50Ms: percentile(waits, 50), p99Ms: percentile(waits, 99), jobs: count }
    }
    return { name, warmUp: () => measure(20), measure: () => measure() }
  })
}

/** The agent and this program have the same clock. */
const directly = async (agent: AgentClient): Promise<number> => {
  const askedAt = wallTimeMs()
  const run = await agent.run({ cmd: ':' })
  if (!run.ok) throw run.error
  return timeMs(run.value.startTime) - askedAt
}

const throughQueue = async ({ enqueue, runOf, byHttp }: Fleet): Promise<number> => {
  const askedAt = wallTimeMs()
  const { job } = await runOf(await enqueue(':'))
  const found = await byHttp.job(job!).get()
  if (!found.ok) throw found.error
  return timeMs(found.value.startTime) - askedAt
}

const wallTimeMs = (): number => performance.timeOrigin + performance.now()

/** With the microseconds that Date would leave out. */
const timeMs = (text: string): number => {
  const [, micros = '0'] = /\.\d{3}(\d{1,3})/.exec(text) ?? []
  return Date.parse(text) + Number(micros.padEnd(3, '0')) / 1000
}

const BY_HTTP = 'agent, by HTTP'
const BY_ENGINE = 'agent, over NATS'
const QUEUED = 'agent, from the queue'

const outcomeOf = (results: Results): Outcome => ({
  results,
  columns: [
    { title: 'p50 ms', digits: 2, of: name => results.median(name, 'p50Ms') },
    { title: 'spread', digits: 2, of: name => results.spread(name, 'p50Ms') },
    { title: 'p99 ms', digits: 2, of: name => results.median(name, 'p99Ms') },
    { title: '× HTTP', digits: 2, of: name => results.ratio(name, BY_HTTP, 'p50Ms') },
  ],
  goals: [atMost(2, '× HTTP over NATS', results.ratio(BY_ENGINE, BY_HTTP, 'p50Ms'))],
})
