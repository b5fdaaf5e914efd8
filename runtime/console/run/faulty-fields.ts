import type { ClientError } from '../../../lib/client/client.ts'

/** The fields of a request that the agent refuses, by its message: `timeout`, `limits.memory`. */
export const faultyFields = ({
  word,
  message,
}: Pick<ClientError, 'word' | 'message'>): ReadonlySet<string> => {
  const field = FIELD_OF[word]
  if (field !== undefined) return new Set([field])
  if (!NAMES_FIELDS.has(word)) return new Set()
  const named = Array.from(message.matchAll(WORDS), ([name]) => name)
  return new Set(named.filter(name => FIELDS.has(name) || name.startsWith('limits.')))
}

/** What stands behind a point, such as a variable after `env.`, is the client's own. */
const WORDS = /(?<![\w.-])(?:limits\.)?[a-zA-Z]+(?![\w-])/g

const FIELD_OF: Record<string, string> = {
  'cannot-run-as': 'user',
  'unknown-group': 'user',
  'unknown-user': 'user',
  'user-not-allowed': 'user',
  'variable-not-possible': 'env',
}

const NAMES_FIELDS = new Set([
  'invalid-request',
  'limit-too-high',
  'limit-unsupported',
  'out-of-bounds',
  'output-limit-too-high',
])

const FIELDS = new Set([
  'cmd',
  'params',
  'scriptName',
  'scriptContent',
  'cwd',
  'user',
  'timeout',
  'env',
  'labels',
  'stdin',
  'encoding',
  'outputLimit',
])
