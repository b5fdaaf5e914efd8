import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, type Limits, StartError, type StartSpec } from '../types.ts'
import type { Executables } from './executable.ts'
import { ENOENT } from './libc.ts'
import type { Program } from './posix-spawn.ts'
import { carriedVariables, refuseOthersThanShellsTake } from './variables.ts'

type SetUpReasons = Pick<StartSpec, 'account' | 'limits' | 'noNewPrivileges'>

export interface SetUpOptions {
  executables: Pick<Executables, 'locate' | 'startError'>
  /** Capabilities that the agent needs to change users, and that no job may inherit from it. */
  inherited: string[]
}

/**
 * What a process runs that sets itself up for a job (its groups, limits, user, directory) and then becomes the job's
 * program, each step in place of the one before (execve): the pid stays, and so does the mark. In this order, because
 * joining a group needs the agent's rights, and entering a directory must not have them.
 */
export const createSetUp = ({ executables, inherited }: SetUpOptions) => {
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
    if (groups.length > 0) steps.push(located('sh'), '-c', joinGroups, NAME, ...groups, '--')
    const resources = resourceOptions(limits)
    if (resources.length > 0) steps.push(located('prlimit'), ...resources)
    if (limits.nice !== undefined) steps.push(located('nice'), '-n', String(limits.nice))
    const privileges = privilegeOptions(account, noNewPrivileges, inherited)
    if (privileges.length > 0) steps.push(located('setpriv'), ...privileges, '--')
    const variables = variablesOf(env, ownEnv)
    steps.push(located('sh'), '-c', runAsAsked, NAME, variables.numbers, ...directories(cwd, account), script)
    steps.push(account ? file : located(file), ...args)
    return {
      file: steps[0]!,
      args: steps.slice(1),
      env: STEPS_ENV,
      ownEnv: { PATH: env.PATH ?? '', ...variables.env },
      // As another user it must not be where the agent is, whose directory it may not be able to reach.
      cwd: account && !isOpen(cwd) ? '/' : cwd,
    }
  }

  return {
    /** Whether a process must do something itself before it becomes the job's program. */
    isNeeded: ({ account, limits, noNewPrivileges = false }: SetUpReasons): boolean =>
      account !== undefined ||
      noNewPrivileges ||
      inherited.length > 0 ||
      (limits !== undefined && Object.keys(limits).length > 0),

    programOf,
  }
}

export type SetUp = ReturnType<typeof createSetUp>

/** For the steps themselves: the words of the system in English, and nothing else that would change what they do. */
const STEPS_ENV = { LC_ALL: 'C' }

/** Those of the request must all arrive; of the agent's own, those that can. */
const variablesOf = (env: Record<string, string>, ownEnv: Record<string, string>) => {
  refuseOthersThanShellsTake(ownEnv)
  return carriedVariables({ ...env, ...ownEnv })
}

const isOpen = (cwd: StartSpec['cwd']): boolean => typeof cwd === 'object' && cwd.fd !== undefined

/** In ps(1), for the moment that it takes. */
const NAME = 'newdt-auto-setup'

const resourceOptions = ({ openFiles, fileSize }: Limits): string[] => [
  ...(openFiles === undefined ? [] : [`--nofile=${openFiles}:${openFiles}`]),
  ...(fileSize === undefined ? [] : [`--fsize=${fileSize}:${fileSize}`]),
]

/**
 * Numbers, so that nothing is looked up a second time. The kernel drops the capabilities of root when it becomes another
 * user; those of an agent that is not root go with the inheritable ones, which ambient ones cannot be without.
 */
const privilegeOptions = (
  account: Account | undefined,
  noNewPrivileges: boolean,
  inherited: string[],
): string[] => [
  ...(account
    ? [
        `--reuid=${account.uid}`,
        `--regid=${account.gid}`,
        account.groups.length > 0 ? `--groups=${account.groups.join()}` : '--clear-groups',
        '--inh-caps=-all',
      ]
    : inherited.length > 0
      ? [`--inh-caps=${inherited.map(name => `-${name}`).join()}`]
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
