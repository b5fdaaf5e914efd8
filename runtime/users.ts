import type { Log } from '../lib/base/log.ts'
import { partsOfUser } from '../lib/base/user-name.ts'
import { nameIn } from '../lib/jobs/account.ts'
import type { Processes } from '../lib/process/types.ts'
import type { Key } from '../lib/security/keys.ts'
import type { Config } from './config.ts'

/** Warnings about users of AGENT_RUN_AS and of keys that no job can run as. Never rejects. */
export const tellUnknownUsers = async (
  { findAccount, userSupport }: Pick<Processes, 'findAccount' | 'userSupport'>,
  { runAs }: Pick<Config, 'runAs'>,
  keys: readonly Pick<Key, 'id' | 'bounds'>[],
  log: Log,
): Promise<void> => {
  for (const { id, bounds } of keys) {
    const users = bounds.users?.filter(user => nameIn(runAs, user) === undefined) ?? []
    if (users.length > 0) log.warn({ key: id, users }, 'users of a key are not in AGENT_RUN_AS')
  }
  // It cannot run jobs as any of them, and that is told.
  if (userSupport() !== undefined) return
  const unknown: string[] = []
  for (const user of new Set([...runAs, ...keys.flatMap(({ bounds }) => bounds.users ?? [])])) {
    const account = await findAccount(...partsOfUser(user)).catch(err => {
      log.warn({ err, user }, 'the user database cannot be read')
      return 'not known'
    })
    if (account === undefined || account === 'no-group') unknown.push(user)
  }
  if (unknown.length > 0) log.warn({ users: unknown }, 'this system does not have users that jobs may run as')
}
