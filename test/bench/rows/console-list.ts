import { createHome, KEEP_ALL, startAgent } from '../agent.ts'
import { openConsole } from '../browser/console-page.ts'
import { contestantsWithBrowser } from '../browser/contestants.ts'
import { type Results, runRounds } from '../rounds.ts'
import { atMost, type Outcome, type Row } from '../row.ts'

/** From "Sign in" to the first job in the list, with few jobs in the store and with many. */
export const consoleList: Row = {
  number: 8,
  title: 'The console, from "Sign in" to the list of jobs',
  async run(bench) {
    const { scratch, histories, options } = bench
    const many = Math.min(10_000, options.history)
    const sizes = [Math.ceil(many / 100), many]
    const contestants = await contestantsWithBrowser(bench, async (checkout, { withContext }) => {
      const agents = await Promise.all(
        sizes.map(async jobs => {
          const home = createHome(scratch, await histories.pathOf(checkout, jobs))
          return startAgent(scratch, checkout, { home, env: KEEP_ALL })
        }),
      )
      return agents.map((agent, at) => {
        const measure = () =>
          withContext(async context => ({ rowMs: await (await openConsole(context, agent)).signIn() }))
        return { name: nameOf(agent.name, sizes[at]!), warmUp: measure, measure }
      })
    })
    return outcomeOf(await runRounds(contestants, options.rounds, bench.progress), sizes)
  },
}

const nameOf = (agent: string, jobs: number): string => `${agent}, ${jobs} jobs`

const outcomeOf = (results: Results, [few, many]: number[]): Outcome => {
  const toFew = (name: string) => {
    const base = name.replace(/\d+ jobs$/, `${few} jobs`)
    return name === base ? undefined : results.ratio(name, base, 'rowMs')
  }
  return {
    results,
    columns: [
      { title: 'ms', digits: 0, of: name => results.median(name, 'rowMs') },
      { title: 'spread', digits: 0, of: name => results.spread(name, 'rowMs') },
      { title: `× ${few} jobs`, digits: 2, of: toFew },
    ],
    goals: [atMost(1.5, `× ${few} jobs`, toFew(nameOf('agent', many!)))],
  }
}
