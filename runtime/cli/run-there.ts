import type { SubmitRequest } from '../../lib/client/client.ts'
import { labelText } from '../../lib/fleet/names.ts'
import { askAgent, isInFleet } from './ask.ts'
import { type Cli, fleetNameOf } from './cli.ts'
import { Failure, UsageError } from './failure.ts'
import { type FleetChoice, whereOf } from './fleet-options.ts'
import { runJob } from './run-job.ts'
import { runOnHosts } from './run-on-hosts.ts'
import type { SubmissionOptions } from './submission.ts'
import { type NamedHost, whichHosts } from './which-host.ts'

/** Runs it where the options say; resolves with the exit code of newdt. `named` is the host before the options. */
export const runThere = async (
  cli: Cli,
  named: string | undefined,
  request: SubmitRequest,
  options: SubmissionOptions & FleetChoice,
): Promise<number> => {
  const where = whereOf(named, options)
  // The code for a fleet is loaded where there is one.
  if (where.kind === 'host') {
    if (where.host === undefined && isInFleet(cli))
      throw new UsageError(
        'on which host of the fleet? -H NAME, --on or --any LABEL=VALUE; newdt hosts lists them',
      )
    return runJob(cli, await askAgent(cli, where.host), request, options)
  }
  const runOn = (hosts: readonly NamedHost[]): Promise<number> => {
    refuseFewer(hosts, options.expect)
    return runOnHosts(cli, hosts, request, options)
  }
  if (where.kind === 'hosts' && fleetNameOf(cli) === undefined)
    return runOn(await whichHosts(cli.env, where.patterns))
  const fleet = await (await import('./open-fleet.ts')).openFleet(cli)
  switch (where.kind) {
    case 'hosts':
      return runOn(await fleet.matching(where.patterns))
    case 'on': {
      const hosts = await fleet.all(where.labels)
      if (hosts.length === 0)
        throw new Failure(
          `${fleet.name}: no agent with ${where.labels.map(labelText).join(', ')} is there; newdt hosts lists those that are`,
        )
      return runOn(hosts)
    }
    case 'any':
      return (await import('./run-on-any.ts')).runOnAny(cli, fleet, where.label, request, options)
    case 'queue':
      return (await import('./run-queued.ts')).runQueued(cli, fleet, where.label, request, options)
  }
}

/** Who has to reach all of them says how many: one that is not there is not known of. */
const refuseFewer = (hosts: readonly NamedHost[], expected = 0): void => {
  if (hosts.length >= expected) return
  const names = hosts.map(({ name }) => name).join(', ')
  throw new Failure(
    `${expected} hosts are expected, and ${hosts.length} are there: ${names}; nothing was run`,
  )
}
