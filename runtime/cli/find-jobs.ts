import { askAgent, askHost, type FoundJob, findOn, isInFleet } from './ask.ts'
import type { Cli } from './cli.ts'
import { Failure } from './failure.ts'
import type { Target } from './target.ts'

export type FindTarget = (id: string) => Promise<Target>

/**
 * Finds jobs by their ids, or by what these begin with: on the host that is named; in a fleet, where none is, wherever
 * they are.
 */
export const targetFinder = async (
  cli: Cli,
  named: string | undefined,
  signal?: AbortSignal,
): Promise<FindTarget> => {
  if (named !== undefined || !isInFleet(cli)) {
    const agent = await askAgent(cli, named)
    return async id => ({ kind: 'job', found: { agent, job: await findOn(agent, id, signal) } })
  }
  const [{ openFleet }, { findInFleet }] = await Promise.all([
    import('./open-fleet.ts'),
    import('./find-in-fleet.ts'),
  ])
  const open = await openFleet(cli)
  return id => findInFleet(open, id, signal)
}

/** Of a queued one the job of its newest run. Rejects with Failure when it has not begun. */
export const jobOf = async (target: Target): Promise<FoundJob> => {
  if (target.kind === 'job') return target.found
  const { queued, open } = target
  const run = queued.runs.at(-1)
  if (!run?.job) throw new Failure(`${queued.id}: it has not begun to run; newdt queue show ${queued.id}`)
  const agent = await askHost(open.host(run.host))
  return { agent, job: agent.patient.job(run.job) }
}

/** None is acted on before all are found. */
export const findTargets = async (
  cli: Cli,
  named: string | undefined,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<Target[]> => {
  const find = await targetFinder(cli, named, signal)
  const targets: Target[] = []
  for (const id of ids) targets.push(await find(id))
  return targets
}

export const findJobs = async (
  cli: Cli,
  named: string | undefined,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<FoundJob[]> => {
  const found: FoundJob[] = []
  for (const target of await findTargets(cli, named, ids, signal)) found.push(await jobOf(target))
  return found
}

export const findJob = async (
  cli: Cli,
  named: string | undefined,
  id: string,
  signal?: AbortSignal,
): Promise<FoundJob> => (await findJobs(cli, named, [id], signal))[0]!
