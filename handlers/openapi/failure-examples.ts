import type { Failures } from '../../lib/base/errors.ts'
import { ERROR_REPLIES, type ErrorReply } from '../http/error-replies.ts'
import type { Refusals } from '../http/refusal.ts'
import type { Word } from './operation.ts'

/** What a client is told of each of the words, in English. */
export const failureExamples = (words: readonly Word[]) =>
  Object.fromEntries(words.map(word => [word, { value: failureExample(word) }]))

const failureExample = (word: Word) => {
  const { status, en }: ErrorReply<typeof DETAILS> = ERROR_REPLIES[word]
  if (word === 'too-many-jobs') return { id: SOME_ID, code: 1, success: false, msg: en(DETAILS) }
  return { code: status, success: false, msg: en(DETAILS), error: word, data: null }
}

const SOME_ID = '01a202f8d35773718c4e1646bc5c61d9'

/** Of any error. */
const DETAILS: AllOf<(Failures & Refusals)[Word]> = {
  address: '192.0.2.7',
  allow: 'GET, HEAD',
  allowed: '/srv',
  authority: 'db2.example.com:8080',
  detail: { zh: 'cmd 缺失', en: 'cmd is missing' },
  fault: 'CERT_HAS_EXPIRED',
  field: 'cwd',
  group: 'www-data',
  limit: 100,
  missing: 'the agent is not root',
  most: '512mb',
  part: 'nonce',
  reasons: ['draining'],
  requestId: '4d3a1d9e-95ad-4cb2-8a3c-cb5b6a3ad7c4',
  rights: ['run'],
  running: 5,
  seconds: 12,
  signal: 'SIGTERM',
  size: 11,
  subject: 'CN=alice,O=Example',
  user: 'deploy',
  variable: 'UID',
}

/** All members of a union in one. */
type AllOf<Union> = (Union extends unknown ? (member: Union) => void : never) extends (
  member: infer All,
) => void
  ? All
  : never
