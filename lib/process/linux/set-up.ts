import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, type Limits, StartError, type StartSpec } from '../types.ts'
import type { Executables } from './executable.ts'
import { ENOENT } from './libc.ts'
import type { Program } from './posix-spawn.ts'

/** Whether a process must do something itself before it becomes the job's program. */
export const needsSetUp = ({
  account,
  limits,
  noNewPrivileges = false,
}: Pick<StartSpec, 'account' | 'limits' | 'noNewPrivileges'>): boolean =>
  account !== undefined || noNewPrivileges || (limits !== undefined && Object.keys(limits).length > 0)

/**
 * What a process runs that sets itself up for a job (its groups, limits, user, directory) and then becomes the job's
 * program, each step in place of the one before (execve): the pid stays, and so does the mark. In this order, because
 * joining a group needs the agent's rights, and entering a directory must not have them.
 */
export const createSetUp = (executables: Pick<Executables, 'locate' | 'startError'>) => {
  const joinGroups = readFileSync(join(import.meta.dirname, 'join-groups.sh'), 'utf8')
  const runAsAsked = readFileSync(join(import.meta.dirname, 'run-as-asked.sh'), 'utf8')

  /** Whole paths: what runs here has the agent's rights. */
  const located = (name: string): string => {
    const path = executables.locate(name)
    if (!path.includes('/')) throw new StartError(executables.startError(name, ENOENT ?? 0))
    return path
  }

  /** `groups`: the cgroup.procs of each group that it is to join. Throws StartError. */
  const programOf = (spec: StartSpec, groups: string[]): Program => {
    const {
      file,
      args,
      env,
      ownEnv = {},
      cwd,
      account,
      limits = {},
      noNewPrivileges = false,
      script = '',
    } = spec
    const steps: string[] = []
    if (account && groups.length > 0) steps.push(located('sh'), '-c', joinGroups, NAME, ...groups, '--')
    const resources = resourceOptions(limits)
    if (resources.length > 0) steps.push(located('prlimit'), ...resources)
    if (limits.nice !== undefined) steps.push(located('nice'), '-n', String(limits.nice))
    const privileges = privilegeOptions(account, noNewPrivileges)
    if (privileges.length > 0) steps.push(located('setpriv'), ...privileges, '--')
    // Only the job's own user may be harmed by what the request sets: LD_PRELOAD is loaded into all that is run.
    const carried = account ? carriedVariables(ownEnv) : { numbers: '', env: ownEnv }
    steps.push(located('sh'), '-c', runAsAsked, NAME, carried.numbers)
    steps.push(...directories(cwd, account), script)
    steps.push(...(account ? [] : groups), '--', account ? file : located(file), ...args)
    return {
      file: steps[0]!,
      args: steps.slice(1),
      env,
      ownEnv: carried.env,
      // One that is open may be entered here: it is the one that was checked.
      cwd: account && typeof cwd === 'string' ? undefined : cwd,
    }
  }

  return { programOf }
}

export type SetUp = ReturnType<typeof createSetUp>

/** In ps(1), for the moment that it takes. */
const NAME = 'newdt-auto-setup'

const resourceOptions = ({ openFiles, fileSize }: Limits): string[] => [
  ...(openFiles === undefined ? [] : [`--nofile=${openFiles}:${openFiles}`]),
  ...(fileSize === undefined ? [] : [`--fsize=${fileSize}:${fileSize}`]),
]

/** Numbers, so that nothing is looked up a second time. The kernel drops the capabilities of a user that is not root. */
const privilegeOptions = (account: Account | undefined, noNewPrivileges: boolean): string[] => [
  ...(account
    ? [
        `--reuid=${account.uid}`,
        `--regid=${account.gid}`,
        account.groups.length > 0 ? `--groups=${account.groups.join()}` : '--clear-groups',
        '--inh-caps=-all',
      ]
    : []),
  ...(noNewPrivileges ? ['--no-new-privs'] : []),
]

/** The directory to enter, another one, and the one that it must be in already. */
const directories = (cwd: StartSpec['cwd'], account: Account | undefined): [string, string, string] => {
  if (typeof cwd === 'object')
    return cwd.fd === undefined ? [cwd.path, '', ''] : ['', '', account ? cwd.path : '']
  if (!account) return ['', '', '']
  // Service accounts often have a home that is not there.
  return cwd === undefined ? [account.home || '/', '/', ''] : [cwd, '', '']
}

/** Under names that mean nothing to anybody, with the numbers that the names have. Throws StartError. */
const carriedVariables = (env: Record<string, string>) => {
  const entries = Object.entries(env)
  for (const [name] of entries) {
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new StartError(`env ${name}: for another user a name may only have letters, digits and _`)
  }
  return {
    numbers: [...entries.keys()].join(' '),
    env: Object.fromEntries(
      entries.map(([name, value], number) => [`NEWDT_AUTO_SETUP_${number}`, `${name}=${value}`]),
    ),
  }
}
