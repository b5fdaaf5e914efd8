import type { JobHandle, Result } from '../../lib/client/client.ts'
import { askHost, type FoundJob, needsAdmin, unwrap } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { failureLineOf } from './failure.ts'
import { jobOf, targetFinder } from './find-jobs.ts'
import type { Target } from './target.ts'

type Act = (job: JobHandle) => Promise<Result<unknown>>

/** Does the same with each job; one that fails is told of and hinders no other, and newdt ends with 1. */
export const eachJob = async (
  cli: Cli,
  named: string | undefined,
  ids: readonly string[],
  act: Act,
  /** For those of the queue; by default it is done with the job of their newest run. */
  actQueued?: (target: Extract<Target, { kind: 'queued' }>) => Promise<unknown>,
): Promise<void> => {
  const find = await targetFinder(cli, named)
  await Promise.all(
    ids.map(async id => {
      try {
        const target = await find(id)
        if (target.kind === 'queued' && actQueued) {
          await actQueued(target)
          await cli.out.write(`${target.queued.id}\n`)
          return
        }
        const found = await jobOf(target)
        unwrap(await actOn(found, act))
        await cli.out.write(`${found.job.id}\n`)
      } catch (error) {
        cli.exitCode = 1
        await tell(cli, failureLineOf(id, error))
      }
    }),
  )
}

/** In a fleet one's own jobs are a matter of the right `run`, and those of others of `admin`. */
const actOn = async ({ agent, job }: FoundJob, act: Act): Promise<Result<unknown>> => {
  const done = await act(job)
  const { asAdmin } = agent.host
  if (done.ok || !asAdmin || !needsAdmin(done.error)) return done
  const { patient } = await askHost(asAdmin())
  return act(patient.job(job.id))
}
