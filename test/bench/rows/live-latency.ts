import { startAgents } from '../agent.ts'
import { runProgram } from '../children.ts'
import type { Options } from '../options.ts'
import { type Results, runRounds } from '../rounds.ts'
import { atMost, type Outcome, type Row } from '../row.ts'
import { percentile } from '../statistics.ts'

/** From the write of the job to the parsed event at the client. */
export const liveLatency: Row = {
  number: 4,
  title: 'Live latency of a line, job to client',
  async run(bench) {
    const command = printingTime(linesOf(bench.options))
    const contestants = (await startAgents(bench)).map(({ name, url, headers }) => {
      const follow = (cmd: string) =>
        runProgram<number[]>(bench.scratch, 'follow-events.ts', [url, JSON.stringify(headers), cmd])
      return {
        name,
        warmUp: () => follow(printingTime(20)),
        async measure() {
          const latencies = await follow(command)
          return {
            lines: latencies.length,
            p50Ms: percentile(latencies, 50),
            p99Ms: percentile(latencies, 99),
          }
        },
      }
    })
    return outcomeOf(await runRounds(contestants, bench.options.rounds, bench.progress))
  },
}

const linesOf = ({ seconds }: Options): number => Math.min(300, Math.max(20, Math.round(seconds * 350)))

/** A line about every 20 ms. Some locales write a decimal comma. */
const printingTime = (lines: number): string =>
  `LC_ALL=C; for ((i = 0; i < ${lines}; i++)); do echo $EPOCHREALTIME; sleep 0.02; done`

const outcomeOf = (results: Results): Outcome => ({
  results,
  columns: [
    { title: 'p50 ms', digits: 2, of: name => results.median(name, 'p50Ms') },
    { title: 'spread', digits: 2, of: name => results.spread(name, 'p50Ms') },
    { title: 'p99 ms', digits: 2, of: name => results.median(name, 'p99Ms') },
    { title: 'spread', digits: 2, of: name => results.spread(name, 'p99Ms') },
    { title: 'lines', digits: 0, of: name => results.median(name, 'lines') },
  ],
  goals: [
    atMost(5, 'ms p50', results.median('agent', 'p50Ms')),
    atMost(50, 'ms p99', results.median('agent', 'p99Ms')),
    atMost(2, 'ms p50 (aim)', results.median('agent', 'p50Ms')),
  ],
})
