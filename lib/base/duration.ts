import ms from 'ms'

/**
 * Milliseconds of a duration such as "30s", "1.5h" or "250ms"; undefined for anything else, a bare number and a
 * negative one included. `ms` alone would take "abc" for undefined and "-5m" for a negative duration.
 */
export const parseDuration = (text: string): number | undefined =>
  DURATION.test(text) ? ms(text as ms.StringValue) : undefined

export const DURATION = /^\d{1,9}(\.\d{1,9})? ?(ms|s|m|h|d|w)$/

/** What a timer can wait for at most, 24.8 days; a longer one fires at once (setTimeout). */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Milliseconds as parseDuration reads them, exactly: "90s", where `ms` alone would say "2m". */
export const durationText = (milliseconds: number): string => {
  const whole = Math.round(milliseconds)
  const [unit, size] = UNITS.find(([, one]) => whole % one === 0) ?? ['ms', 1]
  return `${whole / size}${unit}`
}

const UNITS: readonly [unit: string, ms: number][] = [
  ['d', 24 * 3600_000],
  ['h', 3600_000],
  ['m', 60_000],
  ['s', 1000],
]
