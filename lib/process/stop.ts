import { setTimeout } from 'node:timers/promises'
import type { LivingProcess, Processes, Target } from './types.ts'

/**
 * Ends every process of a target: TERM to each, then, after the grace period in milliseconds, STOP and KILL to all.
 * Gone is what two looks in a row do not find: one look may miss a process that is forked meanwhile. Resolves with
 * what survived even that (uninterruptible sleep, another user's), normally nothing.
 */
export const stopAll = async (
  processes: Processes,
  target: Target,
  graceMs: number,
): Promise<LivingProcess[]> => {
  const hunt = createHunt(processes, target)
  return (await terminate(hunt, graceMs)) ? [] : kill(hunt)
}

type Hunt = ReturnType<typeof createHunt>

/** Finds and signals the processes of one target. */
const createHunt = (processes: Processes, target: Target) => {
  // What was found once is not lost when its parents, which led to it, end before it does.
  let known: LivingProcess[] = []

  const find = async (): Promise<LivingProcess[]> => {
    known = await findInSpite(processes, target, known)
    return known
  }

  const signal = (found: LivingProcess[], name: NodeJS.Signals): void => {
    for (const one of found) processes.signal(one, name)
  }

  const isMarked = ({ mark }: LivingProcess): boolean => mark !== undefined && target.marks.has(mark)

  return {
    find,
    signal,
    killAtOnce: () => processes.killAtOnce(target),

    /**
     * Only descent leads to a process without the mark, so one that is forked right now is lost when its parent is
     * signaled: where there are such processes, all are stopped first, until a look finds no new one.
     */
    async freeze(found: LivingProcess[]): Promise<LivingProcess[]> {
      for (let round = 0; round < MOST_FREEZE_ROUNDS && !found.every(isMarked); round++) {
        signal(found, 'SIGSTOP')
        const before = found.length
        found = await find()
        if (found.length <= before) break
      }
      return found
    },
  }
}

/** Sends TERM to every process, also to those that are found later; true when all have ended within the time. */
const terminate = async ({ find, freeze, signal }: Hunt, graceMs: number): Promise<boolean> => {
  const deadline = performance.now() + graceMs
  const asked: Asked = new Map()
  let empty = 0
  for (let pause = 2; performance.now() < deadline; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    let found = await find()
    empty = found.length === 0 ? empty + 1 : 0
    if (empty === 2) return true
    if (unasked(found, asked).length > 0) {
      found = await freeze(found)
      const now = unasked(found, asked)
      signal(now, 'SIGTERM')
      for (const one of now) asked.set(keyOf(one), forkedFrom(one, found))
      // One that is stopped would never see the TERM.
      signal(found, 'SIGCONT')
    } else {
      // One that stops itself when it sees its child stopped (su does) must go on, to come to its end.
      signal(
        found.filter(({ state }) => state === 'T'),
        'SIGCONT',
      )
    }
    await setTimeout(Math.min(empty > 0 ? 1 : pause, Math.max(1, deadline - performance.now())))
  }
  return false
}

/**
 * Those that have had no TERM yet. The child of a process that has had one, and lives on, is not asked: it may be what
 * cleans up. When its parent ends before it does, it is.
 */
const unasked = (found: LivingProcess[], asked: Asked): LivingProcess[] => {
  const isAsked = (one: LivingProcess): boolean => {
    const fork = asked.get(keyOf(one))
    return fork !== undefined && (fork === '' || fork === one.command)
  }
  const askedParents = new Set(found.filter(isAsked).map(({ pid }) => pid))
  return found.filter(one => !isAsked(one) && !askedParents.has(one.parent))
}

/** Who has had a TERM, by pid and start time; see forkedFrom. */
type Asked = Map<string, string>

const keyOf = ({ pid, startTime }: LivingProcess): string => `${pid} ${startTime}`

/**
 * A shell's child may lose a TERM between its fork, when it still has the shell's name, and its exec. The name if it
 * is such a one: when it changes, the process is asked again. Else "".
 */
const forkedFrom = ({ parent, command }: LivingProcess, found: LivingProcess[]): string =>
  found.some(one => one.pid === parent && one.command === command) ? command : ''

/** Kills every process; resolves with what cannot be killed. */
const kill = async ({ find, freeze, signal, killAtOnce }: Hunt): Promise<LivingProcess[]> => {
  await killAtOnce()
  // Stopped processes cannot fork, so what is found again after the first rounds is what the kernel holds.
  const giveUp = performance.now() + SURVIVOR_MS
  for (let empty = 0, round = 1, pause = 1; ; round++, pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const found = await freeze(await find())
    empty = found.length === 0 ? empty + 1 : 0
    if (empty === 2) return []
    if (performance.now() > giveUp && round > LEAST_ROUNDS) return found
    signal(found, 'SIGSTOP')
    signal(found, 'SIGKILL')
    if (found.length > 0) await setTimeout(pause)
  }
}

const MOST_FREEZE_ROUNDS = 20

/** Without a free descriptor nobody can look; nothing may be called gone then, so it is tried until it works. */
export const findInSpite = async (
  processes: Processes,
  target: Target,
  known: LivingProcess[] = [],
): Promise<LivingProcess[]> => {
  for (;;) {
    try {
      return await processes.find(target, known)
    } catch (error) {
      if (!['EMFILE', 'ENFILE', 'ENOMEM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      await setTimeout(LONGEST_PAUSE_MS)
    }
  }
}

const LONGEST_PAUSE_MS = 50
/** How long KILL is repeated, and how often at least, before what remains is called a survivor. */
const SURVIVOR_MS = 1000
const LEAST_ROUNDS = 10
