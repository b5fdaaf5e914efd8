import type { Credentials } from '../../../lib/client/client.ts'

export type CredentialKind = 'token' | 'secret'

/** What text is taken for until one has chosen: `newdt key new` makes all tokens in this form. */
export const kindOf = (text: string): CredentialKind => (MADE_TOKEN.test(text.trim()) ? 'token' : 'secret')

const MADE_TOKEN = /^nda_[\w-]{43}$/

/** What is sent first; or what is wrong with the text. */
export const credentialsOf = (text: string, kind: CredentialKind): Credentials | 'empty' | 'no-token' => {
  const trimmed = text.trim()
  if (trimmed === '') return 'empty'
  if (kind === 'secret') return { secret: trimmed, signature: 'contract' }
  return SENDABLE.test(trimmed) ? { token: trimmed } : 'no-token'
}

/** A header cannot have other characters, and agents take no longer one. */
const SENDABLE = /^[\x21-\x7e]{1,4096}$/
