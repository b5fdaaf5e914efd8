import { createSigner } from '../../lib/security/md5-signature.ts'
import type { Target } from './load/load.ts'

/** Of whoever takes signed submissions. */
export const SECRET = 'benchmark'
export const SIGN_TTL = { text: '1d', ms: 24 * 3600_000 }

/** Good for as long as the TTL. */
export const signedHeaders = (): Record<string, string> => {
  const signAt = String(Math.floor(Date.now() / 1000))
  return { sign: createSigner(SECRET).sign(signAt), signAt, 'Content-Type': 'application/json' }
}

/** A command, answered when it has ended, as the contract has it. */
export const submissionTo = ({ address, pid }: { address: string; pid: number }, cmd: string): Target => ({
  url: `${address}/api/jobs/execute/cmd`,
  method: 'POST',
  headers: signedHeaders(),
  body: JSON.stringify({ cmd, async: false }),
  pid,
})
