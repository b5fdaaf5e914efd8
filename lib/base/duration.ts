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
