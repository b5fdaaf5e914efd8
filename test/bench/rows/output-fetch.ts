import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, startAgents } from '../agent.ts'
import { startProgram } from '../children.ts'
import { memoryColumns } from '../columns.ts'
import { drain } from '../http.ts'
import type { Target } from '../load/load.ts'
import { overIdleOf, peakMb, resetPeak, residentMb } from '../memory.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import { atMost, type Outcome, type Row } from '../row.ts'
import type { Scratch } from '../scratch.ts'

const MB = 2 ** 20
const SIZE_MB = 16
/** One alone is over in a few milliseconds. */
const FETCHES = 10

/** All that is kept of a finished job by default. */
export const outputFetch: Row = {
  number: 3,
  title: `Fetching ${SIZE_MB} MB of output of a finished job`,
  async run(bench) {
    const agents = await startAgents(bench)
    const contestants = await Promise.all(agents.map(contestantOf))
    contestants.push(await bareContestant(bench.scratch))
    return outcomeOf(await runRounds(contestants, bench.options.rounds, bench.progress))
  },
}

const contestantOf = async (agent: Agent): Promise<Contestant> => {
  const idleMb = residentMb(agent.pid)
  const { id } = await agent.submit(`head -c ${SIZE_MB}M /dev/zero | tr '\\0' x`, true)
  await agent.call(`/api/jobs/${id}?wait=1m&output=false`)
  const target = agent.get(`/api/jobs/${id}/stdout`)
  return {
    name: agent.name,
    warmUp: () => fetchAll(target),
    async measure() {
      resetPeak(agent.pid)
      const figures = await fetchAll(target)
      return { ...figures, idleMb, peakMb: peakMb(agent.pid) }
    },
  }
}

const bareContestant = async (scratch: Scratch): Promise<Contestant> => {
  const directory = scratch.directory('answer')
  const files = [join(directory, 'headers.json'), join(directory, 'body')] as const
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': SIZE_MB * MB }
  writeFileSync(files[0], JSON.stringify(headers))
  writeFileSync(files[1], 'x'.repeat(SIZE_MB * MB))
  const target = await startProgram(scratch, 'bare-http.ts', [...files])
  return { name: BARE, warmUp: () => fetchAll(target), measure: () => fetchAll(target) }
}

const BARE = 'bare node:http'

const fetchAll = async (target: Target) => {
  const begin = performance.now()
  for (let fetched = 0; fetched < FETCHES; fetched++) {
    const bytes = await drain(target)
    if (bytes !== SIZE_MB * MB) throw new Error(`${bytes} bytes came from ${target.url}`)
  }
  const ms = (performance.now() - begin) / FETCHES
  return { ms, mbPerSecond: (SIZE_MB / ms) * 1000 }
}

const outcomeOf = (results: Results): Outcome => ({
  results,
  columns: [
    { title: 'MB/s', digits: 0, of: name => results.median(name, 'mbPerSecond') },
    { title: 'spread', digits: 0, of: name => results.spread(name, 'mbPerSecond') },
    { title: 'ms', digits: 1, of: name => results.median(name, 'ms') },
    {
      title: '× node:http',
      digits: 2,
      of: name => (name === BARE ? undefined : results.ratio(name, BARE, 'mbPerSecond')),
    },
    ...memoryColumns(results),
  ],
  goals: [atMost(100, 'MB over idle', overIdleOf(results)('agent'))],
})
