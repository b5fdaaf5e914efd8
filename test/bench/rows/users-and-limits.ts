import { createHome, startAgent } from '../agent.ts'
import type { Bench } from '../bench.ts'
import { loadColumns } from '../columns.ts'
import { underLoad } from '../load/under-load.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import type { Outcome, Row } from '../row.ts'

/** What it costs that a job becomes another user, or enters a cgroup, before it becomes its command. */
export const usersAndLimits: Row = {
  number: 7,
  title: 'Sync jobs a second with a user and with limits, bash -c :, 1 client',
  async run(bench) {
    return outcomeOf(await runRounds(await contestantsOf(bench), bench.options.rounds, bench.progress))
  },
}

const contestantsOf = async (bench: Bench): Promise<Contestant[]> => {
  const { scratch, checkouts } = bench
  const home = createHome(scratch)
  const agent = await startAgent(scratch, checkouts[0]!, { home, env: { AGENT_RUN_AS: 'nobody' } })
  const { users, limits } = await agent.call<AgentJson>('/api/agent')
  const isPossible = ({ user, limits: asked = {} }: Asked): boolean =>
    (user === undefined || 'possible' in users) &&
    Object.keys(asked).every(name => 'by' in (limits[name] ?? {}))
  const contestant = underLoad(bench, 1)
  return ASKED.filter(([, asked]) => isPossible(asked)).map(([name, asked]) =>
    contestant(name, { ...agent.submission(':'), body: JSON.stringify({ cmd: ':', ...asked }) }),
  )
}

interface Asked {
  user?: string
  limits?: Record<string, number | string>
}

const PLAIN = 'neither'
const ASKED: [name: string, asked: Asked][] = [
  [PLAIN, {}],
  ['nice', { limits: { nice: 1 } }],
  ['openFiles', { limits: { openFiles: 100 } }],
  ['memory', { limits: { memory: '64mb' } }],
  ['user', { user: 'nobody' }],
  ['user, memory', { user: 'nobody', limits: { memory: '64mb' } }],
]

interface AgentJson {
  users: object
  limits: Record<string, object>
}

const outcomeOf = (results: Results): Outcome => ({
  results,
  columns: [
    ...loadColumns(results, 'jobs/s'),
    {
      title: 'added p50',
      digits: 2,
      of: name => (name === PLAIN ? undefined : results.difference(name, PLAIN, 'p50Ms')),
    },
    {
      title: '× neither',
      digits: 2,
      of: name => (name === PLAIN ? undefined : results.ratio(name, PLAIN, 'perSecond')),
    },
  ],
  goals: [],
})
