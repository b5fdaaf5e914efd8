import { type Agent, createHome, startAgent } from '../agent.ts'
import type { StartedBrowser } from '../browser/browser.ts'
import { openConsole } from '../browser/console-page.ts'
import { contestantsWithBrowser } from '../browser/contestants.ts'
import { type Results, runRounds } from '../rounds.ts'
import { atMost, type Outcome, type Row } from '../row.ts'

/** Until one can type, with nothing kept by the browser, and in another tab after that. */
export const consoleLoad: Row = {
  number: 8,
  title: 'The console in a browser, until one can sign in',
  async run(bench) {
    const contestants = await contestantsWithBrowser(bench, async (checkout, browser) => {
      const agent = await startAgent(bench.scratch, checkout, { home: createHome(bench.scratch) })
      // The agent makes the console's files for the first who asks.
      const warmUp = () => load(browser, agent, 1)
      return [
        { name: `${agent.name}${FIRST}`, warmUp, measure: () => load(browser, agent, 1) },
        { name: `${agent.name}${AGAIN}`, measure: () => load(browser, agent, 2) },
      ]
    })
    return outcomeOf(await runRounds(contestants, bench.options.rounds, bench.progress))
  },
}

const FIRST = ', first time'
const AGAIN = ', again'

/** What the last of so many loads took. */
const load = ({ withContext }: StartedBrowser, agent: Agent, times: number) =>
  withContext(async context => {
    for (let time = 1; time < times; time++) await (await openConsole(context, agent)).page.close()
    return (await openConsole(context, agent)).load
  })

const outcomeOf = (results: Results): Outcome => ({
  results,
  columns: [
    { title: 'requests', digits: 0, of: name => results.median(name, 'requests') },
    { title: 'KB', digits: 1, of: name => results.median(name, 'kb') },
    { title: 'ms', digits: 0, of: name => results.median(name, 'signInMs') },
    { title: 'spread', digits: 0, of: name => results.spread(name, 'signInMs') },
  ],
  goals: [
    atMost(300, 'KB, first time', results.median(`agent${FIRST}`, 'kb')),
    atMost(5, 'KB, again', results.median(`agent${AGAIN}`, 'kb')),
  ],
})
