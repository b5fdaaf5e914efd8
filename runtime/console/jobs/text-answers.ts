import type { AgentClient, ListedJob } from '../../../lib/client/client.ts'
import { createdMs } from './match.ts'

export interface TextAnswersOptions {
  client: Pick<AgentClient, 'list'>
  text: string
  signal: AbortSignal
  /** Now it is known of these jobs. */
  onAnswer(jobs: readonly ListedJob[]): void
}

/**
 * Whether jobs have a text in their command or params where a list has the beginning of these alone: the agent is
 * asked, about many jobs at a time. Without an answer nothing is known until the job changes again.
 */
export const createTextAnswers = ({ client, text, signal, onAnswer }: TextAnswersOptions) => {
  const known = new Map<string, boolean>()
  const asked = new Map<string, ListedJob>()
  let isAsking = false

  const askForAll = async (): Promise<void> => {
    isAsking = true
    while (asked.size > 0 && !signal.aborted) {
      const jobs = [...asked.values()]
      asked.clear()
      const ids = jobs.map(({ id }) => id).sort()
      const found = await askWhichHave(client, text, ids, signal)
      if (!found) continue
      for (const id of ids) known.set(id, found.has(id))
      onAnswer(jobs)
    }
    isAsking = false
  }

  /** Undefined when it has to be asked for first. */
  return (job: ListedJob): boolean | undefined => {
    const answer = known.get(job.id)
    if (answer !== undefined) return answer
    asked.set(job.id, job)
    if (!isAsking) void askForAll()
    return undefined
  }
}

/** `ids` are in their order; their text never changes, so nothing else is asked for. */
const askWhichHave = async (
  client: Pick<AgentClient, 'list'>,
  text: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Set<string> | undefined> => {
  const since = new Date(createdMs(ids[0]!)).toISOString()
  const found = new Set<string>()
  let before: string | undefined = idAfter(ids.at(-1)!)
  while (before !== undefined) {
    const listed = await client.list({ q: text, since, before, limit: PAGE }, { signal })
    if (!listed.ok) return undefined
    for (const { id } of listed.value) found.add(id)
    before = listed.value.length < PAGE ? undefined : listed.value.at(-1)!.id
  }
  return found
}

const idAfter = (id: string): string => (BigInt(`0x${id}`) + 1n).toString(16).padStart(id.length, '0')

/** What an agent gives at most. */
const PAGE = 200
