import { access, chmod, constants, mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Log } from '../lib/base/log.ts'

/** Where it is when no setting says. */
export const defaultDataDirectory = ({ XDG_STATE_HOME, HOME }: NodeJS.ProcessEnv): string => {
  if (process.getuid?.() === 0) return '/var/lib/newdt-auto'
  return join(XDG_STATE_HOME || join(HOME || homedir(), '.local/state'), 'newdt-auto')
}

/**
 * Makes the data directory if it is not there, for the agent's account alone; where `isPassable`, others may pass
 * through it. Rejects when it cannot be written.
 */
export const prepareDataDirectory = async (path: string, isPassable: boolean, log: Log): Promise<void> => {
  await makeDirectory(path)
  const { mode } = await stat(path)
  if ((mode & (isPassable ? 0o066 : 0o077)) !== 0) {
    log.warn({ dataDirectory: path }, 'the data directory is open to other users; it should have mode 0700')
  }
}

/**
 * Lets other users reach the scripts of their jobs: they may pass through the directories, and list none of them. What
 * lies in them is for the account alone. Tells of a directory on the way that lets nobody through.
 */
export const letThrough = async (dataDirectory: string, scriptDirectory: string, log: Log): Promise<void> => {
  try {
    for (const path of [dataDirectory, scriptDirectory]) {
      const { mode } = await stat(path)
      if ((mode & PASS) !== PASS) await chmod(path, (mode & 0o7777) | PASS)
    }
  } catch (err) {
    log.warn({ err }, UNREACHABLE)
  }
  let path = dataDirectory
  do {
    path = dirname(path)
    if (((await stat(path)).mode & 0o001) === 0) log.warn({ directory: path }, UNREACHABLE)
  } while (path !== dirname(path))
}

/** For the group, and for all others. */
const PASS = 0o011
const UNREACHABLE =
  'jobs of other users may not be able to read their scripts: others cannot pass through a directory'

/** For the account alone, with those above it. mkdir's own `recursive` never ends in /proc. */
export const makeDirectory = async (path: string): Promise<void> => {
  if (await isAccessible(path, constants.W_OK)) return
  const parent = dirname(path)
  if (!(await isAccessible(parent).catch(() => false))) await makeDirectory(parent)
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error // Somebody else has just made it.
  })
}

/** False when it is not there; rejects when it may not be accessed so. */
const isAccessible = (path: string, mode = constants.F_OK): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return false
    },
  )
