import type { ClientError } from '../../../lib/client/client.ts'
import { faultyFields } from './faulty-fields.ts'
import type { RunForm } from './form.ts'
import { findRepeated } from './request.ts'
import { words } from './words.ts'

/** Why nothing runs. */
export interface Fault {
  text: string
  /** What follows from it. */
  note?: string | undefined
  fields: ReadonlySet<string>
  /** The same may work in a moment. */
  isPassing: boolean
}

/** What the agent cannot find, or need not be asked about. */
export const faultOfForm = ({ kind, cmd, scriptName, env, labels }: RunForm): Fault | undefined => {
  if (kind === 'command' && cmd.trim() === '') return of(words.emptyCommand, 'cmd')
  if (kind === 'script' && scriptName.trim() === '') return of(words.emptyName, 'scriptName')
  for (const [field, pairs] of [
    ['env', env],
    ['labels', labels],
  ] as const) {
    const repeated = findRepeated(pairs)
    if (repeated !== undefined) return of(words.repeated(repeated), field)
  }
  return undefined
}

const of = (text: string, field: string): Fault => ({ text, fields: new Set([field]), isPassing: false })

export const faultOfAnswer = (error: ClientError): Fault => {
  const { message, status, mayBeDone, word } = error
  if (word === 'aborted') return WITHDRAWN
  const isPassing = mayBeDone || status === undefined || status === 429 || status >= 500
  const note = mayBeDone ? words.lost : word === 'too-many-jobs' ? words.rejected : undefined
  return { text: message, note, fields: faultyFields(error), isPassing }
}

/** By whoever has asked for it, or has left the page. */
export const WITHDRAWN: Fault = {
  text: words.withdrawn,
  note: words.lost,
  fields: new Set(),
  isPassing: true,
}
