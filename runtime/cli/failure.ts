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

const clientErrorLine = ({ word, message }: ClientError): string => {
  const hint = Object.hasOwn(HINTS, word) ? HINTS[word as Word] : undefined
  return hint === undefined ? message : `${message}; ${hint}`
}

/** The agent's, and the client's own. */
type Word = keyof typeof ERROR_REPLIES | 'unreachable' | 'not-an-agent' | 'ambiguous-id'

/** What to do next. */
const HINTS: Partial<Record<Word, string>> = {
  unreachable: 'is an agent running there? "newdt agent" starts one, --host or NEWDT_HOST names another',
  'unknown-endpoint': 'check the address: --host, NEWDT_HOST, newdt host ls',
  'not-an-agent': 'check the address: --host, NEWDT_HOST, newdt host ls',
  'signature-missing':
    'say who you are: NEWDT_SECRET, NEWDT_TOKEN, AGENT_SECRET_FILE of the agent here, or newdt host add',
  'signature-wrong':
    'check the secret, and the id of its key: NEWDT_SECRET and NEWDT_KEY, newdt host ls, else the secret file of the agent here',
  'token-wrong': 'check the token: NEWDT_TOKEN, newdt host ls',
  'token-insecure': 'use https, or a secret, which signs',
  'unknown-job': 'newdt ps -a lists those that are kept',
  forbidden: 'newdt host check shows as whom you are known, and what that may do',
  'out-of-bounds': 'newdt host check shows as whom you are known',
  'job-ended': 'newdt inspect shows how',
  'key-reused': 'another --idempotency-key runs it',
  'too-many-jobs': 'newdt ps shows what runs',
  'ambiguous-id': 'type more of it',
}
