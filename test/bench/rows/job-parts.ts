import { createHome, startAgent } from '../agent.ts'
import type { Bench, Checkout } from '../bench.ts'
import { underLoad } from '../load/under-load.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import type { Outcome, Row } from '../row.ts'
import { PARTS, type Part } from '../without/parts.ts'

const CLIENTS = 5

/** Where the agent's own processor time goes: what is saved when one part of it is left out, and all others stay. */
export const jobParts: Row = {
  number: 10,
  title: `What a job costs, part by part, bash -c :, ${CLIENTS} clients`,
  async run(bench) {
    return outcomeOf(await runRounds(await contestantsOf(bench), bench.options.rounds, bench.progress))
  },
}

const contestantsOf = async (bench: Bench): Promise<Contestant[]> => {
  const { scratch, checkouts } = bench
  const [own, ...others] = checkouts as [Checkout, ...Checkout[]]
  const contestant = underLoad(bench, CLIENTS)
  const start = async (name: string, checkout: Checkout, without?: Part): Promise<Contestant> => {
    const agent = await startAgent(scratch, checkout, { home: createHome(scratch), without })
    return contestant(name, agent.submission(':'))
  }
  const parts = Object.keys(PARTS) as Part[]
  return Promise.all([
    start(WHOLE, own),
    ...others.map(other => start(other.name, other)),
    ...parts.map(part => start(`without ${part}`, own, part)),
  ])
}

const WHOLE = 'agent'

const outcomeOf = (results: Results): Outcome => {
  const unlessWhole = (of: (name: string) => number | undefined) => (name: string) =>
    name === WHOLE ? undefined : of(name)
  return {
    results,
    columns: [
      { title: 'jobs/s', digits: 0, of: name => results.median(name, 'perSecond') },
      { title: 'own CPU µs', digits: 0, of: name => results.median(name, 'cpuMicros') },
      {
        title: 'costs µs',
        digits: 0,
        of: unlessWhole(name => results.difference(WHOLE, name, 'cpuMicros')),
      },
      { title: '× whole', digits: 2, of: unlessWhole(name => results.ratio(name, WHOLE, 'cpuMicros')) },
    ],
    goals: [],
  }
}
