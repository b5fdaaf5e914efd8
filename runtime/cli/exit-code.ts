import { constants } from 'node:os'
import type { Job } from '../../lib/client/client.ts'

/** The exit code that a job gives its `newdt run`: its own, or 128 and the number of the signal, as a shell has it. */
export const exitCodeOf = ({
  state,
  exitCode,
  signal,
  reason,
}: Pick<Job, 'state' | 'exitCode' | 'signal' | 'reason'>): number => {
  if (state === 'success') return 0
  const number = signalNumber(signal)
  if (number > 0) return number <= LAST_SIGNAL ? 128 + number : 1
  if (Number.isInteger(exitCode) && exitCode > 0 && exitCode < 256) return exitCode
  // It has exited with 0, or never had an exit code, and was no success all the same.
  return (Object.hasOwn(CODE_OF_REASON, reason) && CODE_OF_REASON[reason]) || 1
}

/** newdt itself, or the agent, has failed, as `docker run` has it: no agent, refused, wrong usage. */
export const NEWDT_FAILED = 125
export const WRONG_USAGE = 2
/** By Ctrl-C: 128 and SIGINT. */
export const INTERRUPTED = 130
/** Nobody reads what is printed: 128 and SIGPIPE. */
export const BROKEN_PIPE = 141

/** As timeout(1) and the shell have them. */
const CODE_OF_REASON: Partial<Record<Job['reason'], number>> = {
  timeout: 124,
  'start-failed': 126,
  'agent-lost': NEWDT_FAILED,
  rejected: NEWDT_FAILED,
}

/** Of Linux; other systems have less. */
const LAST_SIGNAL = 64

/** Real-time signals are told as `SIGRTMIN+1`, which is 35 on Linux. 0 for what is none. */
const signalNumber = (name: string): number => {
  if (Object.hasOwn(constants.signals, name)) return constants.signals[name as NodeJS.Signals]
  const [, realTime, number = '0'] = /^SIG(RTMIN\+?)?(\d*)$/.exec(name) ?? []
  return Number(number) + (realTime === undefined ? 0 : 34)
}
