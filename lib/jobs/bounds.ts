import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { normalize } from 'node:path'
import ms from 'ms'
import { failure } from '../base/errors.ts'
import type { RunBounds } from '../security/caller.ts'
import type { JobRequest } from './job.ts'
import { commandLine } from './program.ts'

/**
 * The request as it may be run within the bounds of whoever asks, all but its directory: one without a timeout gets the
 * longest that is allowed. Throws AgentError out-of-bounds, which names the field.
 */
export const withinBounds = (request: JobRequest, bounds: RunBounds): JobRequest => {
  if (bounds.commands) refuseOtherCommands(request, bounds.commands)
  // A directory decides what a relative path in an allowed command means.
  if (bounds.commands && !bounds.cwd && request.cwd !== undefined) {
    throw failure('out-of-bounds', { field: 'cwd' })
  }
  return bounds.timeoutMs === undefined ? request : withTimeout(request, bounds.timeoutMs)
}

/**
 * Where a job is to run, without symbolic links: what was checked is where it starts, though a link be changed
 * meanwhile. Rejects with AgentError out-of-bounds when that is not in or below one of the directories.
 */
export const directoryWithin = async (
  cwd: string | undefined,
  allowed: readonly string[],
): Promise<string> => {
  // One that is not there might be a link by the time of the start.
  const real = cwd === undefined ? undefined : await realpath(cwd).catch(() => undefined)
  const isWithin = (path: string) => allowed.some(directory => normalize(`${path}/`).startsWith(directory))
  if (real === undefined || !isWithin(real)) {
    throw failure('out-of-bounds', { field: 'cwd', allowed: allowed.join(', ') })
  }
  return real
}

const refuseOtherCommands = (request: JobRequest, commands: readonly string[]): void => {
  const { cmd, params, script, env } = request
  // PATH, BASH_ENV or LD_PRELOAD make another program of any command.
  if (env !== undefined && Object.keys(env).length > 0) throw failure('out-of-bounds', { field: 'env' })
  const wanted = script
    ? `sha256:${createHash('sha256').update(script.content).digest('hex')}`
    : commandLine(cmd, params)
  if (!commands.includes(wanted)) throw failure('out-of-bounds', { field: script ? 'scriptContent' : 'cmd' })
}

const withTimeout = (request: JobRequest, mostMs: number): JobRequest => {
  if (request.timeout === undefined) return { ...request, timeout: { text: ms(mostMs), ms: mostMs } }
  if (request.timeout.ms > mostMs) throw failure('out-of-bounds', { field: 'timeout', allowed: ms(mostMs) })
  return request
}
