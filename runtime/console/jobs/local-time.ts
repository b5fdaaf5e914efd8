/** A time as one types it: `2026-01-31 12:00` in the local zone becomes RFC 3339; all else stays as it is. */
export const timeOf = (typed: string): string => {
  const text = typed.trim()
  const [, day, time = '00:00'] = LOCAL.exec(text) ?? []
  if (day === undefined) return text
  const date = new Date(`${day}T${time}`)
  if (Number.isNaN(date.getTime())) return text
  const instant = date.toISOString().replace('.000Z', 'Z')
  // Some take the 30th of February for the 2nd of March; the agent says that it is none.
  return localTime(instant).startsWith(day) ? instant : text
}

/** The other way round, for whole seconds. */
export const localTime = (time: string): string => {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time)) return time
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return time
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString()
  return `${local.slice(0, 10)} ${local.slice(11, date.getSeconds() === 0 ? 16 : 19)}`
}

const LOCAL = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?$/
