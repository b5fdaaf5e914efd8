import { once } from 'node:events'
import { join } from 'node:path'
import { createHome } from '../agent.ts'
import type { Bench, Checkout } from '../bench.ts'
import { launchWebhook } from '../peers/webhook.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import { atMost, type Outcome, type Row } from '../row.ts'
import type { Scratch } from '../scratch.ts'
import { measureAgentStart, measureStart } from '../start-time.ts'

/** After `npm ci`, with nothing there from an earlier start, and again on the same data directory. */
export const start: Row = {
  number: 6,
  title: 'Start, from the process to the first answer',
  async run(bench) {
    // A start is short.
    const rounds = bench.options.rounds * 2
    return outcomeOf(await runRounds(contestantsOf(bench), rounds, bench.progress))
  },
}

const contestantsOf = ({ checkouts, scratch, tools }: Bench): Contestant[] => {
  const contestants = checkouts.flatMap(checkout => {
    const home = createHome(scratch)
    const again = () => measureAgentStart(scratch, checkout, home)
    return [
      {
        name: `${checkout.name}${FIRST}`,
        measure: async () => {
          const env = { NODE_COMPILE_CACHE: scratch.directory('compiled') }
          await compile(scratch, checkout, env)
          return measureAgentStart(scratch, checkout, createHome(scratch), env)
        },
      },
      { name: `${checkout.name}${AGAIN}`, warmUp: again, measure: again },
    ]
  })
  contestants.push({
    name: 'bare node -e',
    measure: () => measureStart(scratch, port => scratch.start(NODE, ['-e', serverOn(port)])),
  })
  const { webhook } = tools
  if (webhook) {
    contestants.push({
      name: 'webhook',
      measure: () => measureStart(scratch, port => launchWebhook(scratch, webhook, port)),
    })
  }
  return contestants
}

/** What `npm ci` does for the first start, see runtime/node.sh: nothing in a checkout from before it did. */
const compile = async (scratch: Scratch, { directory }: Checkout, env: Record<string, string>) => {
  const npm = scratch.start('npm', ['run', '--silent', '--if-present', 'postinstall'], {
    cwd: directory,
    env,
    stdio: 'ignore',
  })
  await once(npm, 'exit')
  await scratch.end(npm.pid)
}

const FIRST = ', first start'
const AGAIN = ', again'
const NODE = join(import.meta.dirname, '../../../runtime/node.sh')

const serverOn = (port: number): string =>
  `require('node:http').createServer((_, response) => response.end('up')).listen(${port}, '127.0.0.1')`

const outcomeOf = (results: Results): Outcome => {
  const goals = (name: string) => [
    atMost(300, `ms${name}`, results.median(`agent${name}`, 'startMs')),
    atMost(110, `MB${name}`, results.median(`agent${name}`, 'rssMb')),
    atMost(150, `ms${name} (aim)`, results.median(`agent${name}`, 'startMs')),
    atMost(90, `MB${name} (aim)`, results.median(`agent${name}`, 'rssMb')),
  ]
  return {
    results,
    columns: [
      { title: 'ms', digits: 0, of: name => results.median(name, 'startMs') },
      { title: 'spread', digits: 0, of: name => results.spread(name, 'startMs') },
      { title: 'RSS MB', digits: 0, of: name => results.median(name, 'rssMb') },
      {
        title: '× bare node',
        digits: 2,
        of: name => (name === 'bare node -e' ? undefined : results.ratio(name, 'bare node -e', 'startMs')),
      },
    ],
    goals: [...goals(FIRST), ...goals(AGAIN)],
  }
}
