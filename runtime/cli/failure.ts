import type { ERROR_REPLIES } from '../../handlers/http/error-replies.ts'
import { ClientError } from '../../lib/client/client.ts'

/** What was typed is wrong; the message is a line, and says what to type instead. */
export class UsageError extends Error {}

/** Something else that was expected to go wrong; the message is a line, and says what to do next. */
export class Failure extends Error {}

/** One line for a person, on what went wrong and what to do next. */
export const failureLine = (error: unknown): string => {
  if (error instanceof ClientError) return clientErrorLine(error)
  return error instanceof Error ? error.message : String(error)
}

/** The same of one of several things. */
export const failureLineOf = (name: string, error: unknown): string => {
  const line = failureLine(error)
  return line.startsWith(`${name}: `) ? line : `${name}: ${line}`
}

const clientErrorLine = ({ word, message, cause }: ClientError): string => {
  // An agent of a fleet is known by its name.
  const [, host, rest] = /^([a-z0-9.-]+)\.host\.newdt: (.*)$/s.exec(message) ?? []
  const isAway = Object(cause).fault === 'not-sent'
  if (host !== undefined)
    return `${host}: ${rest}; ${isAway ? 'does the engine still run?' : 'newdt hosts lists those that are there'}`
  const hint = hintFor(word)
  return hint === undefined ? message : `${message}; ${hint}`
}

/** What to do next after an error of this word. */
export const hintFor = (word: string): string | undefined =>
  Object.hasOwn(HINTS, word) ? HINTS[word as Word] : undefined

/** The agent's, and those of the client and of a fleet. */
type Word =
  | keyof typeof ERROR_REPLIES
  | 'unreachable'
  | 'not-an-agent'
  | 'ambiguous-id'
  | 'fleet-not-allowed'
  | 'unknown-queued-job'
  | 'queue-unavailable'
  | 'not-dead'
  | 'not-signed'

/** What to do next. */
const HINTS: Partial<Record<Word, string>> = {
  unreachable: 'is an agent running there? "newdt agent" starts one, --host or NEWDT_HOST names another',
  'unknown-endpoint': 'check the address: --host, NEWDT_HOST, newdt host ls',
  'not-an-agent': 'check the address: --host, NEWDT_HOST, newdt host ls',
  'signature-missing':
    'say who you are: NEWDT_SECRET, NEWDT_TOKEN, AGENT_SECRET_FILE of the agent here, or newdt host add',
  'signature-wrong':
    'check the secret, and the id of its key: NEWDT_SECRET and NEWDT_KEY, [hosts.NAME] or [fleets.NAME] of hosts.toml, else the secret file of the agent here',
  'token-wrong': 'check the token: NEWDT_TOKEN, newdt host ls',
  'token-insecure': 'use https, or a secret, which signs',
  'unknown-job': 'newdt ps -a lists those that are kept',
  forbidden: 'newdt host check shows as whom you are known, and what that may do',
  'out-of-bounds': 'newdt host check shows as whom you are known',
  'job-ended': 'newdt inspect shows how',
  'key-reused': 'another --idempotency-key runs it',
  'too-many-jobs': 'newdt ps shows what runs',
  'ambiguous-id': 'type more of it',
  'fleet-not-allowed': 'whoever runs the engine says who may send what; connect as somebody who may',
  'unknown-queued-job': 'newdt queue ls -a lists those that are kept',
  'queue-unavailable': 'has the engine JetStream, and is an agent there that takes jobs from the queue?',
  'not-dead': 'newdt queue ls --state dead lists those that are',
  'not-signed': 'newdt run --queue submits it; only who has signed a job retries it',
}
