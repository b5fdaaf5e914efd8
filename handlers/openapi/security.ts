import type { ZodOpenApiSecuritySchemeObject } from 'zod-openapi'

/**
 * Each of them is enough; the strongest that is there is judged alone. The token comes first: many generated clients
 * use the first only, and it is one that a plain header proves.
 */
export const SECURITY: Record<string, string[]>[] = [
  { token: [] },
  { messageSignature: [], messageSignatureInput: [] },
  { sign: [], signAt: [] },
  { signInQuery: [], signAtInQuery: [] },
  { certificate: [] },
]

const SIGN =
  'md5(signAt + md5(secret + "newdt")) in lower-case hex. A signature is valid for 30 minutes by default.'
const SIGN_AT = 'The time of `sign`, in whole seconds since 1970.'

export const SECURITY_SCHEMES: Record<string, ZodOpenApiSecuritySchemeObject> = {
  messageSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'Signature',
    description:
      'HTTP Message Signatures, RFC 9421, by `hmac-sha256` or `ed25519`. It covers `@method`, `@authority`, `@path`, ' +
      '`@query` and, if there is a body, `content-digest` (RFC 9530, `sha-256`).',
  },
  messageSignatureInput: {
    type: 'apiKey',
    in: 'header',
    name: 'Signature-Input',
    description:
      'What `Signature` covers, with `created`, `nonce`, `keyid` and `tag="newdt-auto"`. Each nonce is good once.',
  },
  token: { type: 'http', scheme: 'bearer', description: 'Over TLS, or from the same host.' },
  sign: { type: 'apiKey', in: 'header', name: 'sign', description: SIGN },
  signAt: { type: 'apiKey', in: 'header', name: 'signAt', description: SIGN_AT },
  signInQuery: { type: 'apiKey', in: 'query', name: 'sign', description: SIGN },
  signAtInQuery: { type: 'apiKey', in: 'query', name: 'signAt', description: SIGN_AT },
  certificate: { type: 'mutualTLS', description: 'A client certificate that a key has.' },
}
