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
  return isToken(trimmed) ? { token: trimmed } : 'no-token'
}

/** As RFC 6750, 2.1, has it; browsers refuse to send most others. */
export const isToken = (text: string): boolean => /^[\w.~+/-]+=*$/.test(text)
