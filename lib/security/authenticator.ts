/** `read`: look; `run`: submit, and control what one has submitted; `admin`: control everything. */
export type Right = 'read' | 'run' | 'admin'

/** Who asks. */
export interface Caller {
  id: string
  rights: ReadonlySet<Right>
  /** The client's IP address. */
  address: string
}

/** What a request says to prove who asks, exactly as it came. */
export interface Credentials {
  sign: string
  signAt: string
}

export interface Authenticator {
  /** Undefined when the credentials prove nothing. */
  authenticate(credentials: Credentials, address: string): Caller | undefined
}

/** One caller, who has the contract's secret and may do everything. */
export const createAuthenticator = (signature: {
  verify(sign: string, signAt: string): boolean
}): Authenticator => ({
  authenticate: ({ sign, signAt }, address) =>
    signature.verify(sign, signAt) ? { id: 'default', rights: ALL_RIGHTS, address } : undefined,
})

const ALL_RIGHTS: ReadonlySet<Right> = new Set<Right>(['read', 'run', 'admin'])
