/**
 * A day, or a time of a day, by the clock of this machine, as agents take it: RFC 3339. Anything else stays as it is:
 * agents know more ways to say when, and say what is none.
 */
export const instantOf = (text: string): string => {
  const [, day, time = '00:00'] = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?$/.exec(text) ?? []
  if (day === undefined) return text
  // Date takes the 30th of February for the 2nd of March.
  const isDay = new Date(`${day}T00:00Z`).toJSON()?.startsWith(day)
  return (isDay && new Date(`${day}T${time}`).toJSON()) || text
}
