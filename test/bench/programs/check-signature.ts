import { failure } from '../../../lib/base/errors.ts'
import { checkForm, createSigner } from '../../../lib/security/md5-signature.ts'
import { SECRET, SIGN_TTL } from '../submission.ts'

const signer = createSigner(SECRET)
const signatureWindow = { ttlMs: SIGN_TTL.ms, clockSkewMs: 30_000, now: Date.now }

/** The contract's signature, of the one secret that there is; what is missing is an empty text. Throws AgentError. */
export const checkSignature = (sign: string, signAt: string): void => {
  checkForm({ sign, signAt }, signatureWindow)
  if (!signer.matches(sign, signAt)) throw failure('signature-wrong')
}
