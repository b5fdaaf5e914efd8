import { setTimeout } from 'node:timers/promises'
import type { LivingProcess, Processes, Target } from './spawn.ts'

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
  const signalAll = (found: LivingProcess[], signal: NodeJS.Signals): void => {
    for (const one of found) processes.signal(one, target, signal)
  }

  if (graceMs > 0) {
    const found = await processes.find(target)
    signalAll(found, 'SIGTERM')
    signalAll(found, 'SIGCONT')
    const deadline = performance.now() + graceMs
    for (let pause = 2; performance.now() < deadline; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      if ((await processes.find(target)).length === 0) return []
      await setTimeout(Math.min(pause, Math.max(1, deadline - performance.now())))
    }
  }

  // Stopped processes cannot fork, so what is found again after the first rounds is what the kernel holds.
  const giveUp = performance.now() + SURVIVOR_MS
  for (let empty = 0, pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const found = await processes.find(target)
    empty = found.length === 0 ? empty + 1 : 0
    if (empty === 2) return []
    if (performance.now() > giveUp) return found
    signalAll(found, 'SIGSTOP')
    signalAll(found, 'SIGKILL')
    if (found.length > 0) await setTimeout(pause)
  }
}

const LONGEST_PAUSE_MS = 50
/** How long KILL is repeated before what remains is called a survivor. */
const SURVIVOR_MS = 1500
