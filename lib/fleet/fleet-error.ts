/**
 * Why there is no answer. `not-sent`: there is no connection to the engine; `nobody-there`: nobody listens, so nothing
 * was done; `busy`: the agent has too many answers under way to begin another; `not-allowed`: the engine does not let
 * this user send it; `lost`: it may have been done, but the answer has broken off, or never came.
 */
export type FleetFault = 'not-sent' | 'nobody-there' | 'busy' | 'not-allowed' | 'lost'

export class FleetError extends Error {
  readonly fault: FleetFault
  /** As those that `fetch` fails with have one. */
  readonly code: string

  constructor(fault: FleetFault, message: string) {
    super(message)
    this.name = 'FleetError'
    this.fault = fault
    this.code = CODES[fault]
  }
}

/** The client takes those but the last for a request that was never sent. */
const CODES: Record<FleetFault, string> = {
  'not-sent': 'FLEET_NOT_SENT',
  'nobody-there': 'FLEET_NOBODY_THERE',
  busy: 'FLEET_NOT_BEGUN',
  'not-allowed': 'FLEET_NOT_ALLOWED',
  lost: 'FLEET_LOST',
}
