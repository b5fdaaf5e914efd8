import { writeFileSync } from 'node:fs'
import { nkeyAuthenticator, nkeys } from '@nats-io/nats-core'

/** What the library makes of a key pair; its own declaration of them is private. */
interface KeyPair {
  getPublicKey(): string
  getSeed(): Uint8Array
  sign(bytes: Uint8Array): Uint8Array
}

const { createUser, createAccount, createOperator } = nkeys as unknown as Record<string, () => KeyPair>

/** A user of an engine, by a key pair. */
export const createNkeyUser = () => {
  const pair = createUser!()
  return {
    publicKey: pair.getPublicKey(),
    authenticator: nkeyAuthenticator(pair.getSeed()),
    /** Its seed in a file of that name. */
    writeSeed(path: string): string {
      writeFileSync(path, `${new TextDecoder().decode(pair.getSeed())}\n`, { mode: 0o600 })
      return path
    },
  }
}

/**
 * An operator with one account, for an engine that knows users by their JWTs: its configuration, and the files of
 * credentials that users have, as `nsc` writes them.
 */
export const createOperatorMode = () => {
  const [operator, account, system] = [createOperator!(), createAccount!(), createAccount!()]
  const ofAccount = (pair: KeyPair, name: string) =>
    encodeJwt(operator, pair.getPublicKey(), name, { type: 'account', limits: NO_LIMITS })
  const operatorJwt = encodeJwt(operator, operator.getPublicKey(), 'operator', {
    type: 'operator',
    system_account: system.getPublicKey(),
  })
  return {
    config: `operator: ${operatorJwt}
resolver: MEMORY
resolver_preload: {
  ${account.getPublicKey()}: ${ofAccount(account, 'fleet')}
  ${system.getPublicKey()}: ${ofAccount(system, 'system')}
}`,
    writeCreds(path: string, expiresAt?: number): string {
      const user = createUser!()
      const jwt = encodeJwt(
        account,
        user.getPublicKey(),
        'user',
        { type: 'user', subs: -1, data: -1, payload: -1 },
        expiresAt,
      )
      const seed = new TextDecoder().decode(user.getSeed())
      const text = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`
      writeFileSync(path, text, { mode: 0o600 })
      return path
    },
  }
}

const encodeJwt = (issuer: KeyPair, subject: string, name: string, nats: object, exp?: number): string => {
  const claims = {
    jti: name,
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name,
    sub: subject,
    ...(exp !== undefined && { exp }),
    nats: { ...nats, version: 2 },
  }
  const encode = (value: object | Uint8Array) =>
    Buffer.from(value instanceof Uint8Array ? value : JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode(claims)}`
  return `${signed}.${encode(issuer.sign(new TextEncoder().encode(signed)))}`
}

const NO_LIMITS = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
}
