import { startAgents } from '../agent.ts'
import type { Bench } from '../bench.ts'
import { runProgram, startProgram } from '../children.ts'
import { loadColumns } from '../columns.ts'
import { underLoad } from '../load/under-load.ts'
import { startLeastNode } from '../peers/least-node.ts'
import { startLighttpd } from '../peers/lighttpd.ts'
import { startWebhook } from '../peers/webhook.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import { atLeast, atMost, type Goal, type Outcome, type Row } from '../row.ts'

/** The smallest job there is: what it costs is what the agent adds. */
export const syncJobs = (clients: keyof typeof GOALS): Row => ({
  number: 1,
  title: `Sync jobs a second, bash -c :, ${clients} client${clients === 1 ? '' : 's'}`,
  async run(bench) {
    const contestants = await contestantsOf(bench, clients)
    const results = await runRounds(contestants, bench.options.rounds, bench.progress)
    return outcomeOf(results, clients, bench.checkouts[1]?.name)
  },
})

/** By the number of clients: what is to be reached, and what is aimed for. */
const GOALS = {
  1: { limit: [0.7, 0.8], webhook: [0.85, 0.95], addedP99Ms: [2, 1], cpu: undefined },
  5: { limit: [0.75, 0.85], webhook: [0.85, 1], addedP99Ms: undefined, cpu: [0.75, 0.55] },
} as const

const contestantsOf = async (bench: Bench, clients: number): Promise<Contestant[]> => {
  const { scratch, options, tools } = bench
  const contestant = underLoad(bench, clients)
  const contestants = (await startAgents(bench)).map(agent => contestant(agent.name, agent.submission(':')))
  if (tools.webhook) contestants.push(contestant('webhook', await startWebhook(scratch, tools.webhook)))
  if (tools.lighttpd)
    contestants.push(contestant('lighttpd CGI', await startLighttpd(scratch, tools.lighttpd)))
  contestants.push(contestant(LEAST, await startLeastNode(scratch, ':')))
  contestants.push(contestant('naive Node', await startProgram(scratch, 'naive-node.ts')))
  contestants.push({
    name: 'limit',
    measure: () => runProgram(scratch, 'spawn-limit.ts', [clients, options.seconds]),
  })
  return contestants
}

/** What remains of the limit for a server on Node, whatever it does. */
const LEAST = 'least Node'

/** `also` is the first of the other checkouts, if there are any. */
const outcomeOf = (results: Results, clients: keyof typeof GOALS, also: string | undefined): Outcome => {
  const added = (key: string) => (name: string) =>
    name === 'limit' ? undefined : results.difference(name, 'limit', key)
  const times =
    (base: string, key = 'perSecond') =>
    (name: string) =>
      name === base ? undefined : results.ratio(name, base, key)
  const { limit, webhook, addedP99Ms, cpu } = GOALS[clients]
  return {
    results,
    columns: [
      ...loadColumns(results, 'jobs/s'),
      { title: 'own CPU µs', digits: 0, of: name => results.median(name, 'cpuMicros') },
      ...(also === undefined ? [] : [{ title: '× CPU', digits: 2, of: times(also, 'cpuMicros') }]),
      { title: 'added p50', digits: 2, of: added('p50Ms') },
      { title: 'added p99', digits: 2, of: added('p99Ms') },
      { title: '× limit', digits: 2, of: times('limit') },
      { title: '× least', digits: 2, of: times(LEAST) },
      { title: '× naive', digits: 2, of: times('naive Node') },
      { title: '× webhook', digits: 2, of: times('webhook') },
    ],
    goals: [
      ...goalAndAim(atLeast, limit, '× limit', times('limit')('agent')),
      ...goalAndAim(atLeast, webhook, '× webhook', times('webhook')('agent')),
      ...(addedP99Ms ? goalAndAim(atMost, addedP99Ms, 'ms added p99', added('p99Ms')('agent')) : []),
      ...(cpu && also !== undefined
        ? goalAndAim(atMost, cpu, `× own CPU of ${also}`, times(also, 'cpuMicros')('agent'))
        : []),
    ],
  }
}

const goalAndAim = (
  goal: typeof atLeast,
  [reach, aim]: readonly [number, number],
  unit: string,
  value: number | undefined,
): Goal[] => [goal(reach, unit, value), goal(aim, `${unit} (aim)`, value)]
