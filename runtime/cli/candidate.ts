import type { ListedJob } from '../../lib/client/client.ts'
import { printable } from './format.ts'

/** What may stand in a place of a command line, and what it means. */
export interface Candidate {
  value: string
  meaning: string
}

export const jobCandidate = ({ id, state, execCmd }: ListedJob): Candidate => ({
  value: id,
  meaning: meaningOf(`${state} ${execCmd}`),
})

/** One short line, which does nothing to a terminal. */
export const meaningOf = (text: string): string => printable(text).slice(0, 60)
