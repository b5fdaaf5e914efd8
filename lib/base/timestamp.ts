/** Microseconds since 1970 UTC; a double holds them exactly until the year 2255. */
export type Micros = number

/** Go's zero time, which stands for what has not come yet. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'

/**
 * RFC 3339 as Go's time.RFC3339Nano prints it: the host's offset of that moment (`Z` at zero), the fraction
 * without trailing zeros.
 */
export const formatTimestamp = (time: Micros): string => {
  const seconds = Math.floor(time / 1e6)
  if (seconds !== latest.seconds) latest = { seconds, ...formatSecond(seconds) }
  return `${latest.local}${formatFraction(time - seconds * 1e6)}${latest.offset}`
}

/** A memo: the times of one job most often lie in the same second, and the zone of a process stays the same. */
let latest = { seconds: Number.NaN, local: '', offset: '' }

const formatSecond = (seconds: number) => {
  const minutes = -new Date(seconds * 1000).getTimezoneOffset()
  const local = new Date((seconds + minutes * 60) * 1000).toISOString().slice(0, 19)
  return { local, offset: formatOffset(minutes) }
}

const formatFraction = (micros: number): string => {
  if (micros === 0) return ''
  let digits = 6
  for (; micros % 10 === 0; micros /= 10) digits--
  return `.${String(micros).padStart(digits, '0')}`
}

const formatOffset = (minutes: number): string => {
  if (minutes === 0) return 'Z'
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}
