import type { SignalOutcome } from './types.ts'

/** kill(2), with its expected failures as values. Throws for a signal that this system does not have. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): SignalOutcome => {
  try {
    process.kill(pid, signal)
    return 'sent'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return 'gone'
    if (code === 'EPERM') return 'not-permitted'
    throw error
  }
}
