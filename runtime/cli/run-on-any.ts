import { parseDuration } from '../../lib/base/duration.ts'
import { ClientError, type SubmitRequest } from '../../lib/client/client.ts'
import { pause } from '../../lib/client/retry.ts'
import { type FleetLabel, labelText } from '../../lib/fleet/names.ts'
import { askHost, type FoundJob } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { Failure } from './failure.ts'
import type { FleetChoice } from './fleet-options.ts'
import type { OpenFleet } from './open-fleet.ts'
import { printRows } from './output-format.ts'
import { showJob } from './run-job.ts'
import type { SubmissionOptions } from './submission.ts'
import { submitJob } from './submit.ts'

/** Runs it on any one host with the label that has a free slot, and says which has taken it. */
export const runOnAny = async (
  cli: Cli,
  open: OpenFleet,
  label: FleetLabel,
  request: SubmitRequest,
  options: SubmissionOptions & Pick<FleetChoice, 'wait' | 'output'>,
): Promise<number> => {
  const any = open.fleet().any(label)
  const printId = async ({ agent, job }: FoundJob): Promise<void> => {
    if (options.output === 'table') await cli.out.write(`${job.id}\n`)
    else await printRows(cli, [{ host: agent.host.name, job: job.id }], [], options.output)
  }
  return showJob(cli, { ...options, printId }, async signal => {
    const { idempotencyKey } = options
    let host = ''
    const submit: Parameters<typeof submitJob>[0]['submit'] = async (...args) => {
      const submitted = await any.submit(...args)
      if (!submitted.ok) return submitted
      host = submitted.value.host
      return { ok: true, value: submitted.value.job }
    }
    const { id } = await withRoom(cli, open, label, options.wait, signal, () =>
      submitJob({ submit }, request, { idempotencyKey, signal, mayRun: mayRunOn(label) }),
    )
    await tell(cli, `${host} has taken it`)
    const agent = await askHost(open.host(host))
    return { agent, job: agent.patient.job(id) }
  })
}

/** The same key would not be known to another host. */
const mayRunOn = (label: FleetLabel) => () =>
  `the job may run on one of them: newdt ps --on ${labelText(label)}`

/** Tries on, less and less often, while none has room. */
const withRoom = async <T>(
  cli: Cli,
  open: OpenFleet,
  label: FleetLabel,
  wait: string | undefined,
  signal: AbortSignal,
  submit: () => Promise<T>,
): Promise<T> => {
  const deadline = performance.now() + (wait === undefined ? 0 : parseDuration(wait)!)
  for (let tries = 0; ; tries++) {
    try {
      return await submit()
    } catch (error) {
      if (!(error instanceof ClientError) || error.word !== 'no-room') throw error
      const left = deadline - performance.now()
      if (left <= 0)
        throw new Failure(
          `${await whyNoRoom(open, label)}; ${wait === undefined ? '--wait 5m tries on, ' : ''}--queue lets it wait in the queue`,
        )
      if (tries === 0) await tell(cli, `${await whyNoRoom(open, label)}; trying for ${wait}`)
      await pause(Math.min(left, pauseMs(tries)), signal)
      if (signal.aborted) throw new ClientError('aborted', 'given up', { cause: signal.reason })
    }
  }
}

/** From half a second up to ten; many may wait for the same slot. */
const pauseMs = (tries: number): number => Math.min(10_000, 500 * 1.5 ** tries) * (0.5 + Math.random() / 2)

const whyNoRoom = async (open: OpenFleet, label: FleetLabel): Promise<string> => {
  const text = labelText(label)
  const hosts = await open.hosts([label]).catch(() => undefined)
  if (hosts?.length === 0) return `${text}: no agent with this label is there`
  if (hosts?.length === 1)
    return `${text}: ${hosts[0]!.name}, the only host with this label, has no free slot`
  return `${text}: none of ${hosts?.length ?? 'the'} hosts with this label has a free slot`
}
