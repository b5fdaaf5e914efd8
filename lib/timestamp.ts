/** Microseconds since 1970 UTC; a double holds them exactly until the year 2255. */
export type Micros = number

/** Go's zero time, which stands for what has not come yet. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'

/**
 * RFC 3339 as Go's time.RFC3339Nano prints it: the host's offset of that moment (`Z` at zero), the fraction
 * without trailing zeros.
 */
export const formatTimestamp = (time: Micros): string => {
  const millis = Math.floor(time / 1000)
  const offset = -new Date(millis).getTimezoneOffset()
  const local = new Date(millis + offset * 60_000).toISOString().slice(0, 19)
  const micros = time - Math.floor(time / 1e6) * 1e6
  const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`
  return `${local}${fraction}${formatOffset(offset)}`
}

const formatOffset = (minutes: number): string => {
  if (minutes === 0) return 'Z'
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}
