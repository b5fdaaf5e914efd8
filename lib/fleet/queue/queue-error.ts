import { JetStreamApiError } from '@nats-io/jetstream'
import { PermissionViolationError } from '@nats-io/nats-core'
import { ClientError } from '../../client/result.ts'

/** Whether another try would come to the same. */
export const isFinalError = (error: unknown): boolean =>
  hasNoJetStream(error) ||
  violationIn(error) !== undefined ||
  (error instanceof JetStreamApiError && error.status < 500)

export const toClientError = (error: unknown): ClientError => {
  const text = error instanceof Error ? error.message : String(error)
  const violation = violationIn(error)
  if (violation)
    return new ClientError('fleet-not-allowed', `this user may not use the queue: ${violation.message}`, {
      status: 403,
    })
  if (hasNoJetStream(error))
    return new ClientError(
      'no-jetstream',
      'the engine has no JetStream; the queue needs "jetstream {}" in its configuration',
    )
  if (error instanceof JetStreamApiError)
    return new ClientError('queue-unavailable', `the engine has refused it: ${text}`)
  return new ClientError('unreachable', `the engine's queue does not answer: ${text}`)
}

/** Also what is published where no stream takes it fails so. The library does not export the class. */
export const hasNoJetStream = (error: unknown): boolean =>
  error instanceof Error && error.name === 'JetStreamNotEnabled'

/** Nobody has made the stream, or the bucket. */
export const isNotThere = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.status === 404

/** The library tells of it as the cause of a request that has failed. */
const violationIn = (error: unknown): PermissionViolationError | undefined => {
  if (error instanceof PermissionViolationError) return error
  const { cause } = Object(error)
  return cause instanceof PermissionViolationError ? cause : undefined
}
