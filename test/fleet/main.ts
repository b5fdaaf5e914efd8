import { parseArgs } from 'node:util'
import { disturb } from './disturb.ts'
import { createRandom } from './random.ts'
import { runFleet } from './run-fleet.ts'

/*
 * Runs jobs on a fleet of real agents and a real engine, which are killed, stopped, drained and restarted meanwhile:
 * npm run fleet -- --agents 20 --jobs 5000 --seed 1
 */
const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '20' },
    jobs: { type: 'string', default: '5000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    rate: { type: 'string', default: '30' },
    'kill-engine': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const ackWaitMs = 3000
const say = (line: string): void => void process.stdout.write(`${line}\n`)
say(`seed ${seed}: ${values.jobs} jobs, ${values.agents} agents`)

let disturbances: Record<string, number> = {}
const report = await runFleet({
  agents: Number(values.agents),
  jobs: Number(values.jobs),
  slots: 4,
  rate: Number(values.rate),
  isQuick: values.quick,
  ackWaitMs,
  random: createRandom(seed),
  deadlineMs: 180_000,
  async disturb(hosts, engine, signal) {
    if (values.calm) return
    const tell = (line: string): void => {
      if (values.verbose) say(line)
    }
    disturbances = await disturb({
      hosts,
      engine,
      random: createRandom(seed + 1),
      ackWaitMs,
      killsEngine: values['kill-engine'],
      signal,
      tell,
    })
  },
  tell: say,
})
const { lost, startMs, ...counts } = report
const rows = {
  ...counts,
  lost: lost.length,
  'p50 publish to start': `${startMs.p50} ms`,
  'p99 publish to start': `${startMs.p99} ms`,
  most: `${startMs.most} ms`,
}
for (const [name, value] of Object.entries({ ...rows, ...disturbances })) say(`${name.padEnd(24)} ${value}`)
for (const line of lost.slice(0, 20)) say(line)
const isRight = lost.length + counts.twice + counts.onceTwice + counts.untold + counts.changed === 0
process.exit(isRight ? 0 : 1)
