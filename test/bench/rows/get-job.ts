import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, createHome, startAgent, startAgents } from '../agent.ts'
import type { Bench } from '../bench.ts'
import { startProgram } from '../children.ts'
import { loadColumns } from '../columns.ts'
import type { Target } from '../load/load.ts'
import { createEd25519Client } from '../load/signed-messages.ts'
import { underLoad } from '../load/under-load.ts'
import { startLeastLookUp } from '../peers/least-look-up.ts'
import { type Contestant, type Results, runRounds } from '../rounds.ts'
import { atLeast, type Outcome, type Row } from '../row.ts'
import type { Scratch } from '../scratch.ts'

const CONNECTIONS = 20

/** What the agent's layers cost above the HTTP server and the adapter that it is built on. */
export const getJob: Row = {
  number: 2,
  title: `GET /api/jobs/:id a second, ${CONNECTIONS} connections`,
  async run(bench) {
    const contestants = await contestantsOf(bench)
    return outcomeOf(
      await runRounds(contestants, bench.options.rounds, bench.progress),
      bench.options.history,
    )
  },
}

const contestantsOf = async (bench: Bench): Promise<Contestant[]> => {
  const { options, scratch } = bench
  const agents = await startAgents(bench)
  const agentsWithHistory = await startAgents(bench, options.history)
  const jobs = await Promise.all(agents.map(runOneJob))
  const jobsAmongMany = await Promise.all(agentsWithHistory.map(runOneJob))
  const answer = await saveAnswer(scratch, jobs[0]!)

  const contestant = underLoad(bench, CONNECTIONS)
  const bare = async (name: string, program: string, ...args: string[]) =>
    contestant(name, await startProgram(scratch, program, [...answer, ...args]))
  return [
    ...agents.map(({ name }, at) => contestant(name, jobs[at]!)),
    contestant(ED25519, await signedByEd25519(bench)),
    ...agents.map(({ name }, at) => contestant(withHistory(name, options.history), jobsAmongMany[at]!)),
    contestant(LEAST, await startLeastLookUp(scratch)),
    await bare(BARE_ADAPTER, 'bare-adapter.ts', 'global'),
    await bare(OWN_RESPONSE, 'bare-adapter.ts', 'own'),
    await bare('bare node:http', 'bare-http.ts'),
  ]
}

/** A signature of its own for each request, instead of the contract's. */
const ED25519 = 'agent, ed25519'

const signedByEd25519 = async ({ scratch, checkouts }: Bench): Promise<Target> => {
  const home = createHome(scratch)
  const keysFile = join(home, 'keys.json')
  const client = createEd25519Client(keysFile)
  const agent = await startAgent(scratch, checkouts[0]!, { home, env: { AGENT_KEYS_FILE: keysFile } })
  return client((await runOneJob(agent)).url)
}

/** A server that only checks the signature, looks up the job and answers. */
const LEAST = 'least look-up'
const BARE_ADAPTER = 'bare adapter'
const OWN_RESPONSE = 'bare adapter, its Response'

const withHistory = (name: string, history: number): string => `${name}, ${history} jobs`

const runOneJob = async (agent: Agent): Promise<Target> => {
  const { id } = await agent.submit('echo hello')
  return agent.get(`/api/jobs/${id}`)
}

/** The files for the bare servers: headers, body. */
const saveAnswer = async (scratch: Scratch, { url, headers = {} }: Target): Promise<[string, string]> => {
  const response = await fetch(url, { headers })
  const directory = scratch.directory('answer')
  const files: [string, string] = [join(directory, 'headers.json'), join(directory, 'body')]
  const sent = ['Content-Type', 'Content-Length'].map(name => [name, response.headers.get(name)])
  writeFileSync(files[0], JSON.stringify(Object.fromEntries(sent)))
  writeFileSync(files[1], await response.bytes())
  return files
}

const outcomeOf = (results: Results, history: number): Outcome => {
  const times = (base: string) => (name: string) =>
    name === base ? undefined : results.ratio(name, base, 'perSecond')
  const toNoHistory = results.ratio(withHistory('agent', history), 'agent', 'perSecond')
  return {
    results,
    columns: [
      ...loadColumns(results, 'GET/s'),
      { title: '× adapter', digits: 2, of: times(BARE_ADAPTER) },
      { title: '× least', digits: 2, of: times(LEAST) },
      { title: '× its Response', digits: 2, of: times(OWN_RESPONSE) },
      { title: '× contract', digits: 2, of: name => (name === ED25519 ? times('agent')(name) : undefined) },
      { title: '× node:http', digits: 2, of: times('bare node:http') },
    ],
    goals: [
      atLeast(0.75, '× adapter', times(BARE_ADAPTER)('agent')),
      atLeast(0.85, '× adapter (aim)', times(BARE_ADAPTER)('agent')),
      atLeast(0.5, '× adapter, its Response', times(OWN_RESPONSE)('agent')),
      atLeast(0.9, '× without history', toNoHistory),
      atLeast(0.4, 'ed25519 × contract', times('agent')(ED25519)),
    ],
  }
}
