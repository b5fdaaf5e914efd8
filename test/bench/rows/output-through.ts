import { type Agent, startAgents } from '../agent.ts'
import { runProgram } from '../children.ts'
import { memoryColumns } from '../columns.ts'
import { drain } from '../http.ts'
import { overIdleOf, peakMb, resetPeak, residentMb } from '../memory.ts'
import type { Options } from '../options.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import { atLeast, atMost, type Outcome, type Row } from '../row.ts'

/** Much more output than is kept, through one job. */
export const outputThrough: Row = {
  number: 3,
  title: 'Output of one job, head -c … /dev/zero',
  async run(bench) {
    const { scratch, options } = bench
    const sizeMb = sizeOf(options)
    const command = `head -c ${sizeMb}M /dev/zero`
    // One each: what one answer leaves in memory must not count for the other.
    const agents = await startAgents(bench)
    const unread = await startAgents(bench)
    const contestants = agents.flatMap((agent, at) => [
      contestantOf(agent, agent.name, sizeMb, () => drain(agent.submission(command))),
      contestantOf(unread[at]!, `${agent.name}${UNREAD}`, sizeMb, () => runUnread(unread[at]!, command)),
    ])
    contestants.push({
      name: PIPE,
      async measure() {
        const { seconds } = await runProgram<{ seconds: number }>(scratch, 'read-pipe.ts', [command])
        return { sizeMb, mbPerSecond: sizeMb / seconds, seconds }
      },
    })
    return outcomeOf(await runRounds(contestants, options.rounds, bench.progress))
  },
}

const PIPE = 'plain pipe'
/** The answer to a synchronous call holds all that is kept, and each zero byte is six in JSON. */
const UNREAD = ', answer without output'

/** 2 GB in a full run. */
const sizeOf = ({ seconds }: Options): number => Math.min(2048, Math.round(seconds * 1600))

const contestantOf = (
  agent: Agent,
  name: string,
  sizeMb: number,
  run: () => Promise<unknown>,
): Contestant => {
  const { pid } = agent
  const idleMb = residentMb(pid)
  return {
    name,
    warmUp: () => agent.submit('head -c 1M /dev/zero'),
    async measure() {
      resetPeak(pid)
      const begin = performance.now()
      await run()
      const seconds = (performance.now() - begin) / 1000
      const mbPerSecond = sizeMb / seconds
      return { sizeMb, mbPerSecond, seconds, idleMb, peakMb: peakMb(pid) }
    },
  }
}

const runUnread = async (agent: Agent, command: string): Promise<void> => {
  const { id } = await agent.submit(command, true)
  const { state } = await agent.call<{ state: string }>(`/api/jobs/${id}?wait=10m&output=false`)
  if (state !== 'success') throw new Error(`${command}: ${state}`)
}

const outcomeOf = (results: Results): Outcome => {
  const overIdle = overIdleOf(results)
  const timesPipe = (name: string) => (name === PIPE ? undefined : results.ratio(name, PIPE, 'mbPerSecond'))
  return {
    results,
    columns: [
      { title: 'MB', digits: 0, of: name => results.median(name, 'sizeMb') },
      { title: 'MB/s', digits: 0, of: name => results.median(name, 'mbPerSecond') },
      { title: 'spread', digits: 0, of: name => results.spread(name, 'mbPerSecond') },
      { title: 'seconds', digits: 2, of: name => results.median(name, 'seconds') },
      { title: '× pipe', digits: 2, of: timesPipe },
      ...memoryColumns(results),
    ],
    goals: [
      atLeast(0.3, '× pipe', timesPipe('agent')),
      atMost(100, 'MB over idle', overIdle('agent')),
      atLeast(0.3, '× pipe, answer without output', timesPipe(`agent${UNREAD}`)),
      atMost(100, 'MB over idle, answer without output', overIdle(`agent${UNREAD}`)),
      atLeast(0.5, '× pipe (aim)', timesPipe('agent')),
    ],
  }
}
