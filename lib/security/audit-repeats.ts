import type { Audit } from './audit.ts'
import type { AuditEntry } from './audit-line.ts'

/**
 * Records what anybody can have happen again and again: the first of its kind at once, those that follow together in
 * one line, which has what they have in common. Such a line comes within ten seconds, then ever more seldom, so that
 * nobody can push older lines out of the trail with them.
 */
export const createAuditRepeats = (
  audit: Pick<Audit, 'record'>,
  { mostKinds, intervalMs = INTERVAL_MS }: AuditRepeatsOptions,
) => {
  /** By action, outcome and caller; then by what else tells them apart. */
  const families = new Map<string, Map<string, Kind>>()

  const forEach = (look: (kind: Kind, forget: () => void) => void): void => {
    for (const [family, kinds] of families) {
      for (const [name, kind] of kinds) look(kind, () => kinds.delete(name))
      if (kinds.size === 0) families.delete(family)
    }
  }

  const tell = (kind: Kind): void => {
    const { repeated, count } = kind
    if (!repeated) return
    void audit.record(count === 1 ? repeated : { ...repeated, count })
    kind.repeated = undefined
    kind.count = 0
    kind.sinceTold = 0
    kind.pause = Math.min(kind.pause * 4, LONGEST_PAUSE)
  }

  const timer = setInterval(() => {
    forEach((kind, forget) => {
      kind.sinceTold++
      kind.quiet++
      if (kind.sinceTold >= kind.pause) tell(kind)
      if (kind.quiet >= FORGOTTEN_AFTER) forget() // It begins anew.
    })
  }, intervalMs).unref()

  return {
    /** `among` tells apart entries with the same action, outcome and caller. Never rejects. */
    async record(entry: AuditEntry, among = ''): Promise<void> {
      const family = JSON.stringify([entry.action, entry.outcome, entry.caller])
      const kinds = families.get(family) ?? new Map<string, Kind>()
      families.set(family, kinds)
      const name = kinds.has(`=${among}`) || kinds.size < mostKinds ? `=${among}` : 'others'
      const known = kinds.get(name)
      if (!known) {
        kinds.set(name, { repeated: undefined, count: 0, sinceTold: 0, pause: 1, quiet: 0 })
        return audit.record(entry)
      }
      known.repeated = known.repeated ? commonOf(known.repeated, entry) : entry
      known.count++
      known.quiet = 0
    },

    close(): void {
      clearInterval(timer)
      forEach(tell)
    },
  }
}

export interface AuditRepeatsOptions {
  /** How many of the same action, outcome and caller are told apart; the others share one line. */
  mostKinds: number
  intervalMs?: number
}

interface Kind {
  /** What those that were not told yet have in common, and how many they are. */
  repeated: AuditEntry | undefined
  count: number
  /** How long ago they were told, after how long they are the next time, and how long none has come, in intervals. */
  sinceTold: number
  pause: number
  quiet: number
}

const commonOf = (one: AuditEntry, other: AuditEntry): AuditEntry =>
  Object.fromEntries(
    Object.entries(one).filter(([name, value]) => other[name as keyof AuditEntry] === value),
  ) as unknown as AuditEntry

const INTERVAL_MS = 10_000
/** In intervals: ten minutes, an hour. */
const LONGEST_PAUSE = 60
const FORGOTTEN_AFTER = 360
