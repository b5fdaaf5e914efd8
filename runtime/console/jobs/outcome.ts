import type { ListedJob } from '../../../lib/client/client.ts'
import { words } from './words.ts'

/** How a job ended, in a word or two; "" for one that runs. */
export const outcomeOf = ({
  state,
  reason,
  exitCode,
  signal,
}: Pick<ListedJob, 'state' | 'reason' | 'exitCode' | 'signal'>): string => {
  if (state === 'running' || state === 'rejected') return ''
  if (reason === 'exited') return words.exit(exitCode)
  if (reason === 'signaled') return signal
  return Object.hasOwn(words.reasons, reason) ? words.reasons[reason as keyof typeof words.reasons] : reason
}
