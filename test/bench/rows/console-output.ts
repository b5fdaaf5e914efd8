import { type Agent, createHome, startAgent } from '../agent.ts'
import type { StartedBrowser } from '../browser/browser.ts'
import { openConsole } from '../browser/console-page.ts'
import { contestantsWithBrowser } from '../browser/contestants.ts'
import type { Options } from '../options.ts'
import { type Figures, type Results, runRounds } from '../rounds.ts'
import { atMost, type Outcome, type Row } from '../row.ts'

/** A finished job is opened; its output comes whole, and its end is shown. */
export const consoleOutput: Row = {
  number: 8,
  title: 'The console with the output of a job, 16 bytes a line',
  async run(bench) {
    const { scratch, options } = bench
    const many = linesOf(options)
    const contestants = await contestantsWithBrowser(bench, async (checkout, browser) => {
      const agent = await startAgent(scratch, checkout, { home: createHome(scratch) })
      return Promise.all(
        [1, many].map(async lines => {
          const id = await runPrinting(agent, lines)
          const measure = () => open(browser, agent, id, lines)
          return { name: nameOf(agent.name, lines), warmUp: measure, measure }
        }),
      )
    })
    return outcomeOf(await runRounds(contestants, options.rounds, bench.progress), nameOf('agent', many))
  },
}

/** A million in a full run: 16 MB, about all that is kept of a job by default. */
const linesOf = ({ seconds }: Options): number =>
  Math.min(1_000_000, Math.max(1000, Math.round(seconds * 400_000)))

const nameOf = (agent: string, lines: number): string =>
  `${agent}, ${lines} ${lines === 1 ? 'line' : 'lines'}`

const runPrinting = async (agent: Agent, lines: number): Promise<string> => {
  const { id } = await agent.submit(`seq -f 'line %010.0f' ${lines}`, true)
  await agent.call(`/api/jobs/${id}?wait=1m&output=false`)
  return id
}

const open = (
  { withContext, rendererMb }: StartedBrowser,
  agent: Agent,
  id: string,
  lines: number,
): Promise<Figures> =>
  withContext(async context => {
    const console = await openConsole(context, agent)
    await console.signIn()
    const opened = await console.openJob(id, `line ${String(lines).padStart(10, '0')}`)
    const heapMb = await console.heapMb()
    return { ...opened, heapMb, rendererMb: await rendererMb() }
  })

const outcomeOf = (results: Results, full: string): Outcome => ({
  results,
  columns: [
    { title: 'last line ms', digits: 0, of: name => results.median(name, 'lineMs') },
    { title: 'spread', digits: 0, of: name => results.spread(name, 'lineMs') },
    { title: 'longest frame ms', digits: 0, of: name => results.median(name, 'frameMs') },
    { title: 'spread', digits: 0, of: name => results.spread(name, 'frameMs') },
    { title: 'heap MB', digits: 1, of: name => results.median(name, 'heapMb') },
    { title: 'renderer MB', digits: 0, of: name => results.median(name, 'rendererMb') },
  ],
  goals: [
    atMost(64, 'MB of heap', results.median(full, 'heapMb')),
    atMost(100, 'ms, longest frame', results.median(full, 'frameMs')),
  ],
})
