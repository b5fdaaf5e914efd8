import type { LivingProcess, Processes } from '../../lib/process/types.ts'

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
    unguard: () => {},
    guardian: () => ({ state: 'idle', restarts: 0 }),
    close: () => {},
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
