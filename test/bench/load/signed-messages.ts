import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createMessageSigner } from '../../../lib/security/message-signer.ts'
import type { Target } from './load.ts'

/** A key pair in a file of keys, and requests that are signed with it, each by a signature of its own. */
export const createEd25519Client = (keysFile: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const ed25519 = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
  const keys = [{ id: 'bench', rights: ['read', 'run'], ed25519 }]
  writeFileSync(keysFile, JSON.stringify({ keys }), { mode: 0o600 })
  const sign = createMessageSigner({ keyId: 'bench', key: privateKey })
  return (url: string): Target => {
    const { host, pathname, search } = new URL(url)
    const message = { method: 'GET', authority: host, target: pathname + search }
    return { url, headersOfEach: count => Array.from({ length: count }, () => sign(message)) }
  }
}
