import { setTimeout } from 'node:timers/promises'
import type { LivingProcess, Processes, Target } from './types.ts'

/**
 * Ends every process of a target: TERM (and CONT, for one that is stopped would never see the TERM), then, after
 * the grace period in milliseconds, STOP to all and KILL to all until two rounds in a row find nothing.
 * Resolves with what survived even that (uninterruptible sleep, another user's), normally nothing.
 */
export const stopAll = async (
  processes: Processes,
  target: Target,
  graceMs: number,
): Promise<LivingProcess[]> => {
  // What was found once is not lost when its parents, which led to it, end before it does.
  let known: LivingProcess[] = []
  const find = async (): Promise<LivingProcess[]> => {
    known = await findInSpite(processes, target, known)
    return known
  }
  const signalAll = (found: LivingProcess[], signal: NodeJS.Signals): void => {
    for (const one of found) processes.signal(one, signal)
  }

  /**
   * Only descent leads to a process without the mark, so one that is forked right now is lost when its parent is
   * signaled: where there are such processes, all are stopped first, until a look finds no new one.
   */
  const freeze = async (found: LivingProcess[]): Promise<LivingProcess[]> => {
    for (let round = 0; round < MOST_FREEZE_ROUNDS && found.some(one => !isMarked(one)); round++) {
      signalAll(found, 'SIGSTOP')
      const before = found.length
      found = await find()
      if (found.length <= before) break
    }
    return found
  }
  const isMarked = ({ mark }: LivingProcess): boolean => mark !== undefined && target.marks.has(mark)

  if (graceMs > 0) {
    const found = await freeze(await find())
    signalAll(found, 'SIGTERM')
    signalAll(found, 'SIGCONT')
    const deadline = performance.now() + graceMs
    for (let pause = 2; performance.now() < deadline; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const left = await find()
      if (left.length === 0) return []
      // One that stops itself when it sees its child stopped (su does) must go on, to come to its end.
      signalAll(
        left.filter(({ state }) => state === 'T'),
        'SIGCONT',
      )
      await setTimeout(Math.min(pause, Math.max(1, deadline - performance.now())))
    }
  }

  // Stopped processes cannot fork, so what is found again after the first rounds is what the kernel holds.
  const giveUp = performance.now() + SURVIVOR_MS
  for (let empty = 0, round = 1, pause = 1; ; round++, pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const found = await freeze(await find())
    empty = found.length === 0 ? empty + 1 : 0
    if (empty === 2) return []
    if (performance.now() > giveUp && round > LEAST_ROUNDS) return found
    signalAll(found, 'SIGSTOP')
    signalAll(found, 'SIGKILL')
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
