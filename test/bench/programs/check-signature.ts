import { failure } from '../../../lib/base/errors.ts'
import { checkForm, createSigner } from '../../../lib/security/md5-signature.ts'
import { SECRET, SIGN_TTL } from '../submission.ts'

const signer = createSigner(SECRET)
const CLOCK_SKEW_MS = 30_000
const signatureWindow = { ttlMs: SIGN_TTL.ms, clockSkewMs: CLOCK_SKEW_MS, now: Date.now }

/** Checks the contract's signature against SECRET; pass '' for a header that is missing. Throws AgentError. */
export const checkSignature = (sign: string, signAt: string): void => {
  checkForm({ sign, signAt }, signatureWindow)
  if (!signer.matches(sign, signAt)) throw failure('signature-wrong')
}
