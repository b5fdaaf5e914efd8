import {
  type Account,
  LIMIT_NAMES,
  type LimitSupport,
  type LivingProcess,
  NO_USAGE,
  type Processes,
  type StartSpec,
} from '../../lib/process/types.ts'

/** Processes that exist only in a list: a pid, the mark it bears, and whether even SIGKILL does not end it. */
export interface FakeProcess {
  pid: number
  mark: number
  immortal?: boolean
}

const LIVING = {
  mark: undefined,
  parent: 1,
  state: 'S',
  command: 'fake',
  cpu: { user: 0, system: 0 },
  residentBytes: 0,
}

/** A machine that keeps all limits but those of `missing`, and has these users; the groups are by name. */
export const fakeSupport = (
  users: readonly Account[] = [],
  groups: Record<string, number> = {},
  missing: Partial<Record<keyof LimitSupport, string>> = {},
) => {
  const asked: string[] = []
  return {
    asked,
    async findAccount(user: string, group?: string) {
      asked.push(group === undefined ? user : `${user}:${group}`)
      const found = users.find(({ name }) => name === user)
      if (!found || group === undefined) return found
      const gid = groups[group]
      if (gid === undefined) return 'no-group' as const
      return { ...found, gid, groups: [...new Set([...found.groups, gid])] }
    },
    userSupport: (): string | undefined => undefined,
    noNewPrivilegesSupport: (): string | undefined => undefined,
    limitAllJobs: (): void => {},
    needsSetUp: ({ account }: Pick<StartSpec, 'account'>): boolean => account !== undefined,
    limitSupport: () =>
      Object.fromEntries(
        LIMIT_NAMES.map(name => {
          const fault = missing[name]
          return [name, fault === undefined ? { by: 'cgroup-v2' } : { missing: fault }]
        }),
      ) as LimitSupport,
    usage: async () => NO_USAGE,
    wasOutOfMemory: () => false,
  }
}

export const fakeProcesses = (given: FakeProcess[]) => {
  const living = new Set(given)
  const signals: string[] = []
  const find = async ({ marks }: { marks: ReadonlySet<number> }): Promise<LivingProcess[]> =>
    [...living]
      .filter(({ mark }) => marks.has(mark))
      .map(({ pid }) => ({ ...LIVING, pid, startTime: pid * 10 }))
  const processes: Processes = {
    newMark: () => 1,
    openDirectory: () => Promise.reject(new Error('nothing is started here')),
    start: () => Promise.reject(new Error('nothing is started here')),
    startHelper: undefined,
    leaveThreads: () => {},
    unguard: () => {},
    guardian: () => ({ state: 'idle', restarts: 0 }),
    close: () => {},
    killAtOnce: async () => {},
    ...fakeSupport(),
    find,
    mayHaveLeft: () => true,
    signal({ pid, startTime }, signal) {
      const one = [...living].find(process => process.pid === pid)
      if (!one || startTime !== pid * 10) return 'gone'
      signals.push(`${signal} ${pid}`)
      if (signal === 'SIGKILL' && !one.immortal) living.delete(one)
      return 'sent'
    },
  }
  return { processes, signals, livingPids: (): number[] => [...living].map(({ pid }) => pid) }
}
