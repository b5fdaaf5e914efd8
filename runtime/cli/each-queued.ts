import type { QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import { type Cli, tell } from './cli.ts'
import { failureLineOf } from './failure.ts'
import { findQueued } from './find-queued.ts'
import { type OpenFleet, openFleet } from './open-fleet.ts'

/** Does the same with each queued job, and prints what comes of it; one that fails hinders no other, and newdt ends with 1. */
export const eachQueued = async (
  cli: Cli,
  ids: readonly string[],
  act: (job: QueuedJob, open: OpenFleet) => Promise<string>,
): Promise<void> => {
  const open = await openFleet(cli)
  const run = async (id: string): Promise<void> => {
    try {
      await cli.out.write(`${await act(await findQueued(open, id), open)}\n`)
    } catch (error) {
      cli.exitCode = 1
      await tell(cli, failureLineOf(id, error))
    }
  }
  await Promise.all(ids.map(run))
}
