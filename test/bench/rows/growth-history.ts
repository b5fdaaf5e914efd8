import { rmSync } from 'node:fs'
import { createHome, KEEP_ALL, startAgent } from '../agent.ts'
import type { Bench, Checkout } from '../bench.ts'
import { turnSeconds } from '../load/warm-up.ts'
import { freePort } from '../ports.ts'
import { type Figures, type Results, runRounds } from '../rounds.ts'
import { atLeast, atMost, type Outcome, type Row } from '../row.ts'

const CLIENTS = 5
const GET_CONNECTIONS = 20

/** What jobs, look-ups and the start cost when there are many finished jobs. */
export const growthHistory: Row = {
  number: 5,
  title: 'Growth with finished jobs in the store',
  async run(bench) {
    const { options, checkouts } = bench
    const sizes = [0, Math.floor(options.history / 10), options.history]
    const contestants = checkouts.flatMap(checkout =>
      sizes.map(jobs => ({
        name: nameOf(checkout.name, jobs),
        warmUp: () => bench.histories.pathOf(checkout, jobs),
        measure: () => measure(bench, checkout, jobs),
      })),
    )
    return outcomeOf(await runRounds(contestants, options.rounds, bench.progress), options.history)
  },
}

const nameOf = (checkout: string, jobs: number): string => `${checkout}, ${jobs} jobs`

/** On a copy of its own each time, or the jobs that are run here would be its history before long. */
const measure = async (bench: Bench, checkout: Checkout, jobs: number): Promise<Figures> => {
  const { load, scratch, options } = bench
  const home = createHome(scratch, await bench.histories.pathOf(checkout, jobs))
  try {
    const first = await startAgent(scratch, checkout, { home, env: KEEP_ALL })
    await first.end()
    const agent = await startAgent(scratch, checkout, { home, env: KEEP_ALL, port: await freePort() })
    const { id } = await agent.submit('echo hello')
    const submission = { ...agent.submission(':'), connections: CLIENTS }
    const get = { ...agent.get(`/api/jobs/${id}`), connections: GET_CONNECTIONS }
    await load({ ...submission, seconds: turnSeconds(options.seconds) })
    const { perSecond: jobsPerSecond } = await load({ ...submission, seconds: options.seconds })
    await load({ ...get, seconds: turnSeconds(options.seconds) })
    const { perSecond: getsPerSecond } = await load({ ...get, seconds: options.seconds })
    const list = { ...agent.get('/api/jobs?state=failed&limit=20'), connections: GET_CONNECTIONS }
    await load({ ...list, seconds: turnSeconds(options.seconds) })
    const { perSecond: listsPerSecond } = await load({ ...list, seconds: options.seconds })
    await agent.end()
    return { jobsPerSecond, getsPerSecond, listsPerSecond, startMs: agent.startMs }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

const outcomeOf = (results: Results, history: number): Outcome => {
  const toEmpty = (key: string) => (name: string) => {
    const empty = name.replace(/\d+ jobs$/, '0 jobs')
    return name === empty ? undefined : results.ratio(name, empty, key)
  }
  const full = nameOf('agent', history)
  /** A list of an empty store has nothing in it: compared is the store that has a tenth of the jobs. */
  const listsToTenth = (name: string) => {
    if (/ 0 jobs$/.test(name)) return undefined
    const tenth = name.replace(/\d+ jobs$/, `${Math.floor(history / 10)} jobs`)
    return name === tenth ? undefined : results.ratio(name, tenth, 'listsPerSecond')
  }
  return {
    results,
    columns: [
      { title: 'jobs/s', digits: 0, of: name => results.median(name, 'jobsPerSecond') },
      { title: 'spread', digits: 0, of: name => results.spread(name, 'jobsPerSecond') },
      { title: '× empty', digits: 2, of: toEmpty('jobsPerSecond') },
      { title: 'GET/s', digits: 0, of: name => results.median(name, 'getsPerSecond') },
      { title: 'spread', digits: 0, of: name => results.spread(name, 'getsPerSecond') },
      { title: '× empty', digits: 2, of: toEmpty('getsPerSecond') },
      { title: 'lists/s', digits: 0, of: name => results.median(name, 'listsPerSecond') },
      { title: 'spread', digits: 0, of: name => results.spread(name, 'listsPerSecond') },
      { title: '× tenth', digits: 2, of: listsToTenth },
      { title: 'start ms', digits: 0, of: name => results.median(name, 'startMs') },
      { title: 'spread', digits: 0, of: name => results.spread(name, 'startMs') },
      { title: '× empty', digits: 2, of: toEmpty('startMs') },
    ],
    goals: [
      atLeast(0.85, '× empty, jobs/s', toEmpty('jobsPerSecond')(full)),
      atLeast(0.85, '× empty, GET/s', toEmpty('getsPerSecond')(full)),
      atLeast(0.85, '× tenth, lists/s', listsToTenth(full)),
      atMost(1.15, '× empty, start', toEmpty('startMs')(full)),
    ],
  }
}
