import { choose } from './language.ts'

/** By what a copied curl proves who asks. */
export const proofNotes = choose({
  en: {
    token: 'curl takes the token from the variable TOKEN.',
    secret:
      'It is signed by newdt sign, which finds the secret as newdt does, or in the variable NEWDT_SECRET.',
    certificate: 'Give curl the certificate with --cert and --key.',
  },
  zh: {
    token: 'curl 从变量 TOKEN 取令牌。',
    secret: '由 newdt sign 签名，secret 的来源与 newdt 相同，也可取自变量 NEWDT_SECRET。',
    certificate: '请用 --cert 和 --key 给 curl 证书。',
  },
})
