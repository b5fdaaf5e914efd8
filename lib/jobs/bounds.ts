import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { normalize } from 'node:path'
import { durationText } from '../base/duration.ts'
import { failure } from '../base/errors.ts'
import type { OpenDirectory, Processes } from '../process/types.ts'
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
  // So does the home of a user.
  if (bounds.commands && !bounds.users && request.user !== undefined) {
    throw failure('out-of-bounds', { field: 'user' })
  }
  return bounds.timeoutMs === undefined ? request : withTimeout(request, bounds.timeoutMs)
}

/**
 * Where a job is to run, open: what was checked is where it starts, though a link or a directory be put in its place
 * meanwhile. Rejects with AgentError out-of-bounds when that is not in or below one of the directories.
 */
export const directoryWithin = async (
  cwd: string | undefined,
  allowed: readonly string[],
  { openDirectory }: Pick<Processes, 'openDirectory'>,
): Promise<OpenDirectory> => {
  const directory = cwd === undefined ? undefined : await openDirectory(cwd).catch(unlessMissing)
  if (directory && (await isWithin(directory.path, allowed))) return directory
  directory?.[Symbol.dispose]()
  throw failure('out-of-bounds', { field: 'cwd', allowed: allowed.join(', ') })
}

const unlessMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === 'EMFILE' || error.code === 'ENFILE') throw error
}

/** The allowed ones may be links too. */
const isWithin = async (path: string, allowed: readonly string[]): Promise<boolean> => {
  const real = await Promise.all(allowed.map(directory => realpath(directory).catch(() => undefined)))
  return real.some(directory => directory !== undefined && asPrefix(path).startsWith(asPrefix(directory)))
}

const asPrefix = (directory: string): string => normalize(`${directory}/`)

const refuseOtherCommands = (request: JobRequest, commands: readonly string[]): void => {
  const { cmd, params, script, env } = request
  // PATH, BASH_ENV or LD_PRELOAD make another program of any command.
  if (env !== undefined && Object.keys(env).length > 0) throw failure('out-of-bounds', { field: 'env' })
  if (script) {
    if (!hashesOf(script).some(hash => commands.includes(hash)))
      throw failure('out-of-bounds', { field: 'scriptContent' })
  } else {
    const line = commandLine(cmd, params)
    if (line.startsWith(HASH) || !commands.includes(line)) throw failure('out-of-bounds', { field: 'cmd' })
  }
}

/** As a key may have it: what is harmless to one interpreter may be a program of another's. */
const hashesOf = ({ content, type }: NonNullable<JobRequest['script']>): string[] => {
  const hash = HASH + createHash('sha256').update(content).digest('hex')
  return type === 'shell' ? [hash, `${hash}:shell`] : [`${hash}:${type}`]
}

const HASH = 'sha256:'

const withTimeout = (request: JobRequest, mostMs: number): JobRequest => {
  const most = durationText(mostMs)
  if (request.timeout === undefined) return { ...request, timeout: { text: most, ms: mostMs } }
  if (request.timeout.ms > mostMs) throw failure('out-of-bounds', { field: 'timeout', allowed: most })
  return request
}
