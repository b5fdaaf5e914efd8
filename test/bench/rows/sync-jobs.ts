import { join } from 'node:path'
import { startAgents } from '../agent.ts'
import type { Bench } from '../bench.ts'
import { runProgram, startProgram } from '../children.ts'
import { loadColumns } from '../columns.ts'
import { underLoad } from '../load/under-load.ts'
import { startLighttpd } from '../peers/lighttpd.ts'
import { startWebhook } from '../peers/webhook.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import { atLeast, type Outcome, type Row } from '../row.ts'

/** The smallest job there is: what it costs is what the agent adds. */
export const syncJobs = (clients: number): Row => ({
  number: 1,
  title: `Sync jobs a second, bash -c :, ${clients} client${clients === 1 ? '' : 's'}`,
  async run(bench) {
    const contestants = await contestantsOf(bench, clients)
    return outcomeOf(await runRounds(contestants, bench.options.rounds, bench.progress))
  },
})

const contestantsOf = async (bench: Bench, clients: number): Promise<Contestant[]> => {
  const { scratch, options, tools } = bench
  const contestant = underLoad(bench, clients)
  const contestants = (await startAgents(bench)).map(agent => contestant(agent.name, agent.submission(':')))
  if (tools.webhook) contestants.push(contestant('webhook', await startWebhook(scratch, tools.webhook)))
  if (tools.lighttpd)
    contestants.push(contestant('lighttpd CGI', await startLighttpd(scratch, tools.lighttpd)))
  const database = join(scratch.directory('least'), 'jobs.db')
  contestants.push(contestant(LEAST, { url: await startProgram(scratch, 'least-node.ts', [database]) }))
  contestants.push(contestant('naive Node', { url: await startProgram(scratch, 'naive-node.ts') }))
  contestants.push({
    name: 'limit',
    measure: () => runProgram(scratch, 'spawn-limit.ts', [clients, options.seconds]),
  })
  return contestants
}

/** What remains of the limit for a server on Node, whatever it does. */
const LEAST = 'least Node'

const outcomeOf = (results: Results): Outcome => {
  const added = (key: string) => (name: string) =>
    name === 'limit' ? undefined : results.difference(name, 'limit', key)
  const times = (base: string) => (name: string) =>
    name === base ? undefined : results.ratio(name, base, 'perSecond')
  return {
    results,
    columns: [
      ...loadColumns(results, 'jobs/s'),
      { title: 'added p50', digits: 2, of: added('p50Ms') },
      { title: 'added p99', digits: 2, of: added('p99Ms') },
      { title: '× limit', digits: 2, of: times('limit') },
      { title: '× least', digits: 2, of: times(LEAST) },
      { title: '× naive', digits: 2, of: times('naive Node') },
      { title: '× webhook', digits: 2, of: times('webhook') },
    ],
    goals: [
      atLeast(0.8, '× limit', times('limit')('agent')),
      atLeast(1.8, '× naive', times('naive Node')('agent')),
      atLeast(0.9, '× limit (aim)', times('limit')('agent')),
      atLeast(1, '× webhook (aim)', times('webhook')('agent')),
    ],
  }
}
