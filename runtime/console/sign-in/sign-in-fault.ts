import type { ClientError, Credentials } from '../../../lib/client/client.ts'
import { words } from './words.ts'

export interface SignInFault {
  /** What is to be done about it. */
  text: string
  /** In the words of the agent, where they are not the text itself. */
  detail?: string
}

/** Why one could not sign in to the agent at that URL with these credentials. */
export const signInFault = (
  { word, message }: Pick<ClientError, 'word' | 'message'>,
  credentials: Credentials | undefined,
  { pathname }: URL,
): SignInFault => {
  const { faults } = words
  if (isWholeSignatureNeeded(word, credentials) && pathname !== '/')
    return { text: faults.belowPath, detail: message }
  switch (word) {
    case 'signature-wrong':
      return { text: secretFault(credentials), detail: message }
    case 'token-wrong':
      return { text: faults.token, detail: message }
    case 'signature-missing':
      return { text: faults.certificate, detail: message }
    case 'forbidden':
      return { text: faults.read, detail: message }
    default:
      return { text: message }
  }
}

/** The agent takes no signature of the contract: one that covers the whole request needs the id of the key. */
export const isWholeSignatureNeeded = (word: string, credentials: Credentials | undefined): boolean =>
  word === 'credential-too-weak' && credentials !== undefined && 'secret' in credentials

const secretFault = (credentials: Credentials | undefined): string =>
  credentials && 'secret' in credentials && credentials.keyId !== undefined
    ? words.faults.secretOfKey(credentials.keyId)
    : words.faults.secret
