import {
  type Authenticator,
  AuthorizationError,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
} from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { connectionOptions } from '../nats/connection-options.ts'
import { Failure } from './failure.ts'
import type { FleetAddress } from './which-fleet.ts'

/** A connection to the engine of a fleet, which comes back by itself. Rejects with Failure. */
export const connectEngine = async (address: FleetAddress, timeoutMs = 5000): Promise<NatsConnection> => {
  const authenticator = authenticatorOf(address)
  try {
    return await connect({
      ...connectionOptions(address),
      name: 'newdt',
      ...(authenticator && { authenticator }),
      timeout: timeoutMs,
      // How long an agent is waited for is not for the connection to say.
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
    })
  } catch (error) {
    throw new Failure(`${address.name}: ${faultOf(error)}`)
  }
}

const authenticatorOf = ({ name, creds, nkey }: FleetAddress): Authenticator | undefined => {
  if (creds === undefined && nkey === undefined) return undefined
  const bytes = new TextEncoder().encode(creds ?? nkey)
  const made = creds === undefined ? nkeyAuthenticator(bytes) : credsAuthenticator(bytes)
  try {
    made('nonce')
  } catch {
    // The error could hold what is in the file.
    throw new Failure(
      `${name}: the file of ${creds === undefined ? 'nkey_file has no nkey seed' : 'creds_file has no credentials of NATS'} in it`,
    )
  }
  return made
}

const faultOf = (error: unknown): string => {
  const { message, cause } = error as Error
  if (error instanceof AuthorizationError)
    return 'the engine does not let you in; check creds_file, nkey_file or the user in its url, or NEWDT_FLEET_CREDS'
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : message
  if (/certificate|self.signed|altname|TLS|SSL/i.test(reason))
    return `${reason}; ca, or NEWDT_FLEET_CA, says whom to trust`
  return `${reason}; does the engine, nats-server, run there? --fleet or NEWDT_FLEET names another`
}
