import { type Known, lives } from '../../support/proc.ts'
import { type Agent, createHome, startAgent } from '../agent.ts'
import type { Bench, Checkout } from '../bench.ts'
import { loadColumns } from '../columns.ts'
import { turnSeconds } from '../load/warm-up.ts'
import { type Figures, type Results, runRounds } from '../rounds.ts'
import { atLeast, atMost, type Outcome, type Row } from '../row.ts'
import type { Scratch } from '../scratch.ts'

const CLIENTS = 5
/** AGENT_KILL_GRACE by default, and what an end may take beyond it. */
const LONGEST_END_MS = 7000

/** What jobs cost while many others run, and how the agent ends then. */
export const growthRunning: Row = {
  number: 5,
  title: `Sync jobs a second beside running ones, ${CLIENTS} clients`,
  async run(bench) {
    const { checkouts, options } = bench
    // 500 in a full run.
    const many = Math.min(500, Math.ceil(options.history / 10))
    const contestants = checkouts.flatMap(checkout =>
      [0, many].map(running => ({
        name: nameOf(checkout.name, running),
        measure: () => measure(bench, checkout, running, many + CLIENTS),
      })),
    )
    return outcomeOf(await runRounds(contestants, options.rounds, bench.progress), many)
  },
}

const nameOf = (checkout: string, running: number): string => `${checkout}, ${running} sleeping`

/** On an agent of its own each time: the processes must not be there while another one is measured. */
const measure = async (
  { scratch, load, options }: Bench,
  checkout: Checkout,
  running: number,
  slots: number,
): Promise<Figures> => {
  const env = { AGENT_MAX_RUNNING: String(slots) }
  const agent = await startAgent(scratch, checkout, { home: createHome(scratch), env })
  const sleeps = await startSleeps(scratch, agent, running)
  const submission = { ...agent.submission(':'), connections: CLIENTS }
  await load({ ...submission, seconds: turnSeconds(options.seconds) })
  const figures = await load({ ...submission, seconds: options.seconds })
  const begin = performance.now()
  await agent.end()
  const endMs = performance.now() - begin
  const left = sleeps.filter(lives)
  await Promise.all(sleeps.map(({ pid }) => scratch.end(pid)))
  if (left.length > 0) throw new Error(`${left.length} of ${running} jobs have outlived the agent`)
  return { ...figures, endMs }
}

const startSleeps = async (scratch: Scratch, agent: Agent, count: number): Promise<Known[]> => {
  const sleeps: Known[] = []
  for (let started = 0; started < count; started++) {
    const { pid } = await agent.submit('sleep 1000', true)
    sleeps.push(scratch.adopt(pid))
  }
  return sleeps
}

const outcomeOf = (results: Results, many: number): Outcome => {
  const toNone = (name: string) => {
    const none = name.replace(/\d+ sleeping$/, '0 sleeping')
    return name === none ? undefined : results.ratio(name, none, 'perSecond')
  }
  const beside = nameOf('agent', many)
  return {
    results,
    columns: [
      ...loadColumns(results, 'jobs/s'),
      { title: '× none', digits: 2, of: toNone },
      { title: 'end ms', digits: 0, of: name => results.median(name, 'endMs') },
    ],
    goals: [
      atLeast(0.85, '× none', toNone(beside)),
      atMost(LONGEST_END_MS, 'ms to the end by SIGTERM', results.median(beside, 'endMs')),
    ],
  }
}
