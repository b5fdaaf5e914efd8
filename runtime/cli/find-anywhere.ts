import { ClientError } from '../../lib/client/client.ts'
import { askHost, type FoundJob, findOn } from './ask.ts'
import { Failure, failureLine, UsageError } from './failure.ts'
import type { OpenFleet } from './open-fleet.ts'
import type { NamedHost } from './which-host.ts'

/** The job of this id, or of an id that begins so, on whichever agent of a fleet has it: all of them are asked. */
export const findAnywhere = async (
  fleet: Pick<OpenFleet, 'all' | 'name'>,
  id: string,
  signal?: AbortSignal,
  lookMs = LOOK_MS,
): Promise<FoundJob> => {
  const hosts = await fleet.all()
  const over = new AbortController()
  const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal
  const found: FoundJob[] = []
  const silent: string[] = []
  const waiting = [...hosts]
  const worker = async (): Promise<void> => {
    for (let host = waiting.shift(); host && !over.signal.aborted; host = waiting.shift()) {
      try {
        found.push(await findSoon(host, id, either, lookMs))
        // A whole id is that of one job only.
        if (/^[0-9a-f]{32}$/.test(id)) over.abort()
      } catch (error) {
        if (over.signal.aborted || (error instanceof ClientError && error.word === 'unknown-job')) continue
        if (signal?.aborted || (error instanceof ClientError && error.word === 'ambiguous-id')) throw error
        silent.push(`${host.name}: ${failureLine(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, hosts.length) }, worker))
  const [first, second] = found
  if (first && second) {
    const both = `${first.agent.host.name} and ${second.agent.host.name}`
    throw new ClientError('ambiguous-id', `${id} is the beginning of jobs on ${both}`)
  }
  if (first) return first
  if (silent.length > 0) throw new Failure(`${id}: ${silentText(silent, hosts.length)}`)
  throw new ClientError('unknown-job', `${fleet.name}: none of its ${hosts.length} agents has a job ${id}`)
}

/** One that is silent does not keep what another one has answered. */
const findSoon = async (
  host: NamedHost,
  id: string,
  signal: AbortSignal,
  lookMs: number,
): Promise<FoundJob> => {
  const late = AbortSignal.timeout(lookMs)
  try {
    const agent = await askHost(await host.load())
    return { agent, job: await findOn(agent, id, AbortSignal.any([signal, late])) }
  } catch (error) {
    if (late.aborted && !signal.aborted)
      throw new ClientError('unreachable', `no answer within ${lookMs / 1000} s`)
    throw error
  }
}

/** In a fleet the name of a host, such as db1, could be the beginning of an id. Throws UsageError. */
export const refuseShort = (id: string): void => {
  if (id.length < SHORTEST)
    throw new UsageError(`${id}: that is no id of a job; of a longer one type ${SHORTEST} digits at least`)
}

const SHORTEST = 8

const silentText = (silent: readonly string[], all: number): string => {
  const rest = silent.length > MOST_TOLD ? `; and ${silent.length - MOST_TOLD} more` : ''
  return `${all - silent.length} of ${all} agents do not know it, but ${silent.slice(0, MOST_TOLD).join('; ')}${rest}`
}

const MOST_TOLD = 3
const AT_A_TIME = 32
/** Milliseconds for one agent. */
const LOOK_MS = 10_000
