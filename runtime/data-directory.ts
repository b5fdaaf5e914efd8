import { access, constants, mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Log } from '../lib/base/log.ts'

/** Where it is when no setting says. */
export const defaultDataDirectory = ({ XDG_STATE_HOME, HOME }: NodeJS.ProcessEnv): string => {
  if (process.getuid?.() === 0) return '/var/lib/newdt-auto'
  return join(XDG_STATE_HOME || join(HOME || homedir(), '.local/state'), 'newdt-auto')
}

/** Makes the data directory if it is not there, for the agent's account alone. Rejects when it cannot be written. */
export const prepareDataDirectory = async (path: string, log: Log): Promise<void> => {
  await makeDirectory(path)
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) {
    log.warn({ dataDirectory: path }, 'the data directory is open to other users; it should have mode 0700')
  }
}

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
