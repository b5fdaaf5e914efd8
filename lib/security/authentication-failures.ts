import type { Audit } from './audit.ts'

/**
 * Records failed authentications: the first of its kind from an address at once, those that follow within some
 * seconds together in one line, so that nobody can fill the disk with them.
 */
export const createAuthenticationFailures = (audit: Pick<Audit, 'record'>, intervalMs = INTERVAL_MS) => {
  const kinds = new Map<string, Kind>()

  const tell = (): void => {
    for (const [name, kind] of kinds) {
      const { count } = kind
      if (count === 0)
        kinds.delete(name) // Whoever was quiet meanwhile begins anew.
      else void audit.record({ action: 'authenticate', ...kind })
      kind.count = 0
    }
  }
  const timer = setInterval(tell, intervalMs).unref()

  return {
    /** `outcome` is the machine word of the error. Never rejects. */
    async record(outcome: string, client: string): Promise<void> {
      const isNew = kinds.size < MOST_KINDS
      const name = isNew || kinds.has(`${outcome} ${client}`) ? `${outcome} ${client}` : outcome
      const known = kinds.get(name)
      if (known) known.count++
      else {
        const kind = { outcome, client: name === outcome ? 'others' : client }
        kinds.set(name, { ...kind, count: 0 })
        await audit.record({ action: 'authenticate', ...kind })
      }
    },

    close(): void {
      clearInterval(timer)
      tell()
    },
  }
}

interface Kind {
  outcome: string
  client: string
  /** How many were not told yet. */
  count: number
}

const INTERVAL_MS = 10_000
const MOST_KINDS = 1000
