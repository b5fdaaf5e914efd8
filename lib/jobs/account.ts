import { failure } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { partsOfUser } from '../base/user-name.ts'
import type { Account, Processes } from '../process/types.ts'
import type { RunBounds } from '../security/caller.ts'

export interface AccountsOptions {
  processes: Pick<Processes, 'findAccount' | 'userSupport'>
  /** Whom jobs may run as, as `user` or `user:group`. */
  runAs: readonly string[]
  log: Pick<Log, 'error'>
}

/** Whom jobs run as. */
export const createAccounts = ({ processes, runAs, log }: AccountsOptions) => {
  const find = async (user: string): Promise<Account | 'no-group' | undefined> => {
    const [name, group] = partsOfUser(user)
    try {
      return await processes.findAccount(name, group)
    } catch (error) {
      log.error({ err: error }, 'the user database cannot be read')
      throw failure('users-not-readable')
    }
  }

  /** A group that a list does not name must be one of those that the user has by itself. */
  const isOwnGroup = async (user: string, found: Account | 'no-group' | undefined): Promise<boolean> => {
    if (typeof found !== 'object') return false
    const own = await find(partsOfUser(user)[0])
    return typeof own === 'object' && own.groups.includes(found.gid)
  }

  return {
    /**
     * The account of a user that `userOf` has given. Nothing is looked up for one that is not allowed, so that nobody
     * finds out which users there are. Rejects with AgentError cannot-run-as, user-not-allowed, out-of-bounds,
     * unknown-user, unknown-group, users-not-readable.
     */
    async accountOf(user: string, { users }: Pick<RunBounds, 'users'>): Promise<Account> {
      const missing = processes.userSupport()
      if (missing !== undefined) throw failure('cannot-run-as', { missing })
      const byAgent = nameIn(runAs, user)
      if (byAgent === undefined) throw failure('user-not-allowed', { user })
      const byKey = users ? nameIn(users, user) : 'exactly'
      if (byKey === undefined) throw outOfBounds(users)
      const account = await find(user)
      const needsGroup = byAgent === 'but-for-group' || byKey === 'but-for-group'
      if (needsGroup && !(await isOwnGroup(user, account))) {
        throw byKey === 'but-for-group' ? outOfBounds(users) : failure('user-not-allowed', { user })
      }
      if (account === undefined) throw failure('unknown-user', { user: partsOfUser(user)[0] })
      if (account === 'no-group') throw failure('unknown-group', { group: partsOfUser(user)[1] ?? '' })
      return account
    },
  }
}

/**
 * Whom a job is to run as: what was asked for, or the only user of the key. Undefined for the agent's own, which a key
 * with users never gets. Throws AgentError out-of-bounds.
 */
export const userOf = (
  asked: string | undefined,
  { users }: Pick<RunBounds, 'users'>,
): string | undefined => {
  if (!users) return asked
  const user = asked ?? (users.length === 1 ? users[0] : undefined)
  if (user === undefined || nameIn(users, user) === undefined) throw outOfBounds(users)
  return user
}

const outOfBounds = (users: readonly string[] = []) =>
  failure('out-of-bounds', { field: 'user', allowed: users.join(', ') })

/** Whether a list has a user as it is asked for, or has it without the group. */
const nameIn = (list: readonly string[], user: string): 'exactly' | 'but-for-group' | undefined => {
  if (list.includes(user)) return 'exactly'
  const [name, group] = partsOfUser(user)
  return group !== undefined && list.includes(name) ? 'but-for-group' : undefined
}

/** What a user's job gets of the agent's environment. */
export const userEnvironment = (env: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => /^(PATH|LANG|LANGUAGE|LC_.*|TZ)$/.test(name)))

/** Where a user's job runs that names no directory; some databases have none. */
export const homeOf = ({ home }: Pick<Account, 'home'>): string => home || '/'

/** What login(1) would say of the user. */
export const accountVariables = ({ name, home, shell }: Account): Record<string, string> => ({
  HOME: homeOf({ home }),
  USER: name,
  LOGNAME: name,
  // Service accounts are what this is for, and many programs run what SHELL says.
  SHELL: shell === '' || /\/(nologin|false)$/.test(shell) ? '/bin/bash' : shell,
})
