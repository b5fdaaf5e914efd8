import { type Authenticator, credsAuthenticator, nkeyAuthenticator } from '@nats-io/nats-core'
import type { Log } from '../../lib/base/log.ts'
import { readPrivateFile } from '../private-file.ts'
import { orStartupError } from '../startup-error.ts'
import type { EngineConfig } from './settings.ts'

/**
 * What proves to the engine who connects. Files are read again by `renew`; while one cannot be used what was there
 * before stays. Rejects with StartupError when they cannot be used at the start.
 */
export const loadCredentials = async ({ credsFile, nkeyFile }: EngineConfig, log: Log) => {
  const path = credsFile ?? nkeyFile
  if (path === undefined) return { authenticator: undefined, renew() {} }
  const setting = credsFile === undefined ? 'AGENT_NATS_NKEY' : 'AGENT_NATS_CREDS'
  const load = async () => {
    const text = await readPrivateFile(
      path,
      text => text,
      () => true,
    )
    const made = authenticatorOf(text, credsFile !== undefined)
    try {
      made(NONCE)
    } catch {
      // The error could hold what is in the file.
      throw new Error(
        credsFile === undefined ? 'there is no nkey seed in it' : 'there are no credentials in it',
      )
    }
    return made
  }
  let current = await orStartupError(`${setting}=${path}`, load)
  let isFaulty = false
  return {
    authenticator: ((nonce?: string) => current(nonce)) satisfies Authenticator,
    /** Called before each attempt to connect. */
    renew(): void {
      load().then(
        made => {
          current = made
          isFaulty = false
        },
        (error: Error) => {
          if (!isFaulty)
            log.error(
              { file: path, error: error.message },
              'THE CREDENTIALS FOR THE ENGINE CANNOT BE USED: those from before stay',
            )
          isFaulty = true
        },
      )
    },
  }
}

const authenticatorOf = (text: string, isCreds: boolean): Authenticator => {
  const bytes = new TextEncoder().encode(isCreds ? text : text.trim())
  return isCreds ? credsAuthenticator(bytes) : nkeyAuthenticator(bytes)
}

/** Any will do to find out whether something can be signed. */
const NONCE = 'nonce'
