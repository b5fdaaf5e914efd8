import { InvalidArgumentError } from 'commander'
import { DURATION } from '../../lib/base/duration.ts'

/**
 * Of an option: a day, or a time of a day, by the clock of this machine, as agents take it: RFC 3339. How long ago, and
 * what has an offset, they take as it is.
 */
export const instantOf = (text: string): string => {
  if (text === 'today' || text === 'yesterday') return dayBefore(text === 'today' ? 0 : 1)
  const instant = localInstant(text) ?? text
  if (DURATION.test(instant) || /T.*(Z|[-+ ]\d\d:\d\d)$/.test(instant)) return instant
  throw new InvalidArgumentError(
    'It should be such as 2026-01-31, "2026-01-31 12:00", today, yesterday, 1h (ago) or 2026-01-31T12:00:00Z.',
  )
}

const dayBefore = (days: number): string => {
  const now = new Date()
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).toJSON()
}

const localInstant = (text: string): string | undefined => {
  const [, day, time = '00:00'] = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?$/.exec(text) ?? []
  if (day === undefined) return undefined
  // Date takes the 30th of February for the 2nd of March.
  const isDay = new Date(`${day}T00:00Z`).toJSON()?.startsWith(day)
  return (isDay && new Date(`${day}T${time}`).toJSON()) || undefined
}
