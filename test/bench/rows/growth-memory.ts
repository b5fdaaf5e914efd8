import { setTimeout } from 'node:timers/promises'
import { createHome, startAgent } from '../agent.ts'
import type { Bench, Checkout } from '../bench.ts'
import { repeat } from '../http.ts'
import { residentMb } from '../memory.ts'
import type { Options } from '../options.ts'
import { type Figures, runRounds } from '../rounds.ts'
import { atMost, type Row } from '../row.ts'

const FEW = 100
const CLIENTS = 5
/** Until what is still to be done after the last answer is done. */
const SETTLE_MS = 500

/** What an agent keeps in memory of the jobs that it has run. */
export const growthMemory: Row = {
  number: 5,
  title: `Memory after ${FEW} jobs and after many, on one agent`,
  async run(bench) {
    const { options, checkouts } = bench
    const many = manyOf(options)
    const contestants = checkouts.map(checkout => ({
      name: checkout.name,
      measure: () => measure(bench, checkout, many),
    }))
    // Each takes long, and varies little.
    const results = await runRounds(contestants, Math.min(2, options.rounds), bench.progress)
    return {
      results,
      columns: [
        { title: `${FEW} jobs MB`, digits: 0, of: name => results.median(name, 'fewMb') },
        { title: `${many} jobs MB`, digits: 0, of: name => results.median(name, 'manyMb') },
        { title: 'growth', digits: 2, of: name => results.median(name, 'growth') },
        { title: 'spread', digits: 2, of: name => results.spread(name, 'growth') },
      ],
      goals: [atMost(1.2, `× after ${FEW} jobs`, results.median('agent', 'growth'))],
    }
  },
}

/** 10,000 in a full run. */
const manyOf = ({ seconds }: Options): number =>
  Math.min(10_000, Math.max(2 * FEW, Math.round(seconds * 4000)))

const measure = async ({ scratch }: Bench, checkout: Checkout, many: number): Promise<Figures> => {
  const agent = await startAgent(scratch, checkout, { home: createHome(scratch) })
  const submission = agent.submission(':')
  await repeat(submission, FEW, CLIENTS)
  await setTimeout(SETTLE_MS)
  const fewMb = residentMb(agent.pid)
  await repeat(submission, many - FEW, CLIENTS)
  await setTimeout(SETTLE_MS)
  const manyMb = residentMb(agent.pid)
  await agent.end()
  return { fewMb, manyMb, growth: manyMb / fewMb }
}
