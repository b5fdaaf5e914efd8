import { setImmediate } from 'node:timers/promises'
import { sendSignal } from '../send-signal.ts'
import type { LivingProcess, SignalOutcome, Target } from '../types.ts'
import type { Mark } from './mark.ts'
import { allPids, isKernelThread, type ProcessStat, readLiving } from './proc.ts'
import type { Reaper } from './reaper.ts'

/** A look at every process of the machine. */
interface Snapshot {
  byPid: Map<number, LivingProcess>
  byMark: Map<number, LivingProcess[]>
  bySession: Map<number, LivingProcess[]>
  byParent: Map<number, LivingProcess[]>
}

export interface SearchOptions {
  mark: Pick<Mark, 'read'>
  reaper: Pick<Reaper, 'holds'>
  /** The pids in the control groups of the jobs with these marks. */
  members(marks: ReadonlySet<number>): number[]
  pageBytes: number
  listPids?: () => number[]
}

/**
 * Finds the processes of a job among all of the machine, and signals none but those. The mark tells nearly all of
 * them; programs that reset resource limits (su and runuser, through pam_limits) are found by the job's control group,
 * if it has one, by their session and by their descent, as long as the job's own process, or one that was found before,
 * leads to them.
 */
export const createSearch = ({ mark, reaper, members, pageBytes, listPids = allPids }: SearchOptions) => {
  let current: Promise<unknown> = Promise.resolve()
  let next: Promise<Snapshot> | undefined
  let latest: { snapshot: Snapshot; at: number } | undefined

  const look = async (): Promise<Snapshot> => {
    const snapshot: Snapshot = {
      byPid: new Map(),
      byMark: new Map(),
      bySession: new Map(),
      byParent: new Map(),
    }
    for (const [index, pid] of listPids().entries()) {
      if (index % PROCESSES_A_TURN === PROCESSES_A_TURN - 1) await setImmediate()
      const stat = readLiving(pid)
      if (!stat || isKernelThread(pid, stat) || pid === process.pid) continue
      const living = toLiving(pid, stat, mark.read(pid))
      snapshot.byPid.set(pid, living)
      if (living.mark !== undefined) add(snapshot.byMark, living.mark, living)
      add(snapshot.bySession, stat.session, living)
      add(snapshot.byParent, stat.parent, living)
    }
    latest = { snapshot, at: performance.now() }
    return snapshot
  }

  /** One look serves all who have asked before it began: many jobs that end at once cost no more than one. */
  const nextLook = (): Promise<Snapshot> => {
    next ??= current.then(() => {
      next = undefined
      const looking = look()
      current = looking.catch(() => {})
      return looking
    })
    return next
  }

  const toLiving = (pid: number, stat: ProcessStat, jobMark: number | undefined): LivingProcess => ({
    pid,
    startTime: stat.startTime,
    mark: jobMark,
    parent: stat.parent,
    state: stat.state,
    command: stat.command,
    cpu: { user: stat.userTicks / TICKS_A_SECOND, system: stat.systemTicks / TICKS_A_SECOND },
    residentBytes: stat.residentPages * pageBytes,
  })

  const readNow = (pid: number): LivingProcess | undefined => {
    const stat = readLiving(pid)
    // A job that is root may have put anybody into its group.
    if (!stat || isKernelThread(pid, stat) || pid === process.pid) return undefined
    return toLiving(pid, stat, mark.read(pid))
  }

  /** The last look if it is not older than this, in milliseconds; else another one. */
  const lookWithin = async (ms: number): Promise<Snapshot> =>
    latest && performance.now() - latest.at < ms ? latest.snapshot : nextLook()

  return {
    /**
     * `known` are processes that were found before; they count as long as they live. What was found up to `oldMs`
     * milliseconds ago is good enough for who only tells of it.
     */
    async find(target: Target, known: LivingProcess[] = [], oldMs = 0): Promise<LivingProcess[]> {
      const { byPid, byMark, bySession, byParent } = await lookWithin(oldMs)
      const found = new Set<LivingProcess>()
      for (const pid of members(target.marks)) {
        // One that was forked since the look is read now: it must not be missed.
        const one = byPid.get(pid) ?? readNow(pid)
        if (one) found.add(one)
      }
      for (const wanted of target.marks) for (const one of byMark.get(wanted) ?? []) found.add(one)
      // As long as the leader is not reaped, its pid, and with it the session's number, is nobody else's.
      if (target.pid > 0 && reaper.holds(target.pid)) {
        for (const one of bySession.get(target.pid) ?? []) found.add(one)
        const leader = byPid.get(target.pid)
        if (leader) found.add(leader)
      }
      for (const { pid, startTime } of known) {
        const now = byPid.get(pid)
        if (now?.startTime === startTime) found.add(now)
      }
      // The set grows while it is walked. Another mark is another agent's job, and that agent's business.
      for (const { pid } of found) {
        for (const child of byParent.get(pid) ?? []) {
          if (child.mark === undefined || target.marks.has(child.mark)) found.add(child)
        }
      }
      return [...found]
    },

    /** Signals only what, at this moment, still has the start time and the mark that it was found with. */
    signal({ pid, startTime, mark: jobMark }: LivingProcess, signal: NodeJS.Signals): SignalOutcome {
      try {
        if (mark.read(pid) !== jobMark || readLiving(pid)?.startTime !== startTime) return 'gone'
      } catch {
        return 'gone' // No descriptor is free to look at it, so nothing may be signaled.
      }
      return sendSignal(pid, signal)
    },
  }
}

const add = (index: Map<number, LivingProcess[]>, key: number, one: LivingProcess): void => {
  const all = index.get(key)
  if (all) all.push(one)
  else index.set(key, [one])
}

const PROCESSES_A_TURN = 200
/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_A_SECOND = 100
