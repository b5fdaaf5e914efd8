import type { Agent } from '../../../lib/client/client.ts'
import { sizeText } from '../size.ts'
import { words } from './words.ts'

export interface Problem {
  /** `bad`: jobs are refused, or not kept as they should be. */
  level: 'bad' | 'warn'
  text: string
  /** In the words of the agent. */
  detail?: string
}

/** What somebody should look at, the worst first. */
export const problemsOf = (agent: Agent, running: number): Problem[] => {
  const { problems } = words
  const { stopping, draining, store, audit, guardian, disk, limit, guesses } = agent
  const all: (Problem | false)[] = [
    stopping && { level: 'bad', text: problems.stopping },
    draining && !stopping && { level: 'bad', text: problems.draining(running) },
    store.state === 'full' && { level: 'bad', text: problems.storeFull },
    store.state === 'gone' && { level: 'bad', text: problems.storeGone },
    audit.state === 'failing' && { level: 'bad', text: problems.auditFailing },
    guardian.state === 'missing' && { level: 'bad', text: problems.guardianMissing, detail: guardian.error },
    isLittle(disk) && { level: 'warn', text: problems.diskLow(sizeText(disk.freeBytes)) },
    running >= limit && { level: 'warn', text: problems.slotsFull },
    guesses.unseen > 0 && { level: 'warn', text: problems.guesses(guesses.unseen) },
    guardian.state === 'unsupported' && {
      level: 'warn',
      text: problems.guardianUnsupported,
      detail: guardian.error,
    },
  ]
  return all.filter(problem => problem !== false)
}

const isLittle = (disk: Agent['disk']): disk is NonNullable<Agent['disk']> =>
  !!disk && disk.freeBytes < LITTLE_BYTES

/** The database and its log need a good part of it while many jobs write. */
const LITTLE_BYTES = 256 * 1024 ** 2
