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
  const hint = HINTS[word]
  return hint === undefined ? message : `${message}; ${hint}`
}

/** By the word of the error. */
const HINTS: Record<string, string> = {
  unreachable: 'is an agent running there? "newdt agent" starts one, --host or NEWDT_HOST names another',
  'unknown-endpoint': 'check the address: --host, NEWDT_HOST, newdt host ls',
  'not-an-agent': 'check the address: --host, NEWDT_HOST, newdt host ls',
  'signature-missing': 'say who you are: NEWDT_SECRET, NEWDT_TOKEN, or newdt host add',
  'signature-wrong':
    'check the secret, and the id of its key: NEWDT_SECRET and NEWDT_KEY, newdt host ls, else the secret file of the agent here',
  'token-wrong': 'check the token: NEWDT_TOKEN, newdt host ls',
  'token-insecure': 'use https, or a secret, which signs',
  'unknown-job': 'newdt ps -a lists those that are kept',
  'ambiguous-id': 'type more of it',
  'unknown-parameter': 'the agent may be older than this newdt: newdt host check',
}
