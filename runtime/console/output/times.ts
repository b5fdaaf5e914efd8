import { createColumn, lastAtMost } from './column.ts'

/** When the rows began. Those that began with the same chunk have one entry. */
export const createTimes = () => {
  const rows = createColumn(Uint32Array)
  const seconds = createColumn(Float64Array)
  const fractions = createColumn(Float64Array)
  const offsets = createColumn(Int16Array)
  return {
    /** The rows from this one on began at `time`, RFC 3339. */
    add(row: number, time: string): void {
      const [, instant, fraction = '', zone] = RFC_3339.exec(time) ?? []
      rows.push(row)
      seconds.push(Date.parse(`${instant}${zone}`) / 1000)
      fractions.push(fraction === '' ? 0 : Number(`1${fraction.slice(1, 10)}`))
      offsets.push(zone === undefined || zone === 'Z' ? 0 : minutesOf(zone))
    },
    /** Milliseconds since 1970, and the time as it was told; undefined when there is none. */
    of(row: number): RowTime | undefined {
      const index = lastAtMost(rows, row)
      if (index < 0 || Number.isNaN(seconds.at(index))) return undefined
      const offset = offsets.at(index)
      const local = new Date((seconds.at(index) + offset * 60) * 1000).toISOString().slice(0, 19)
      const digits = fractions.at(index) === 0 ? '' : String(fractions.at(index)).slice(1)
      const ms = seconds.at(index) * 1000 + Math.floor(Number(`0.${digits || 0}`) * 1000)
      return { ms, exact: `${local}${digits && `.${digits}`}${zoneOf(offset)}` }
    },
  }
}

export interface RowTime {
  ms: number
  exact: string
}

const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const minutesOf = (zone: string): number =>
  (zone[0] === '-' ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)))

const zoneOf = (minutes: number): string => {
  if (minutes === 0) return 'Z'
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}
