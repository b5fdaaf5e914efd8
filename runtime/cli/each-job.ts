import type { JobHandle, Result } from '../../lib/client/client.ts'
import { type Agent, unwrap } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { failureLine } from './failure.ts'

/** Does the same with each job; one that fails is told of and hinders no other, and newdt ends with 1. */
export const eachJob = async (
  cli: Cli,
  { client }: Agent,
  ids: readonly string[],
  act: (job: JobHandle) => Promise<Result<unknown>>,
): Promise<void> => {
  await Promise.all(
    ids.map(async id => {
      try {
        const job = unwrap(await client.find(id))
        unwrap(await act(job))
        await cli.out.write(`${job.id}\n`)
      } catch (error) {
        cli.exitCode = 1
        await tell(cli, `${id}: ${failureLine(error)}`)
      }
    }),
  )
}
