import { signal } from '@preact/signals'
import { agentNow } from './agent-clock.ts'
import { LOCALE } from './language.ts'

/** The agent's time. Ticks every second while somebody looks; what shows a running time reads it. */
export const now = signal(Date.now())

/** When the day of a time begins in the local zone, both in milliseconds. */
export const dayOf = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0)

/** Which day it is for the agent, by `dayOf`; changes once a day. */
export const today = signal(dayOf(Date.now()))
const tick = (): void => {
  if (document.hidden) return
  now.value = agentNow()
  today.value = dayOf(now.peek())
}
// Tests of functions have no page.
if ('document' in globalThis) setInterval(tick, 1000)

/** Whether a time of the API is one: jobs that have not begun or ended have the year 1. */
export const isTime = (time: string): boolean => !time.startsWith('0001-')

/** In the local zone: the time of day for today, else with the date. Who shows it is drawn anew on the next day. */
export const shortTime = (time: string): string => {
  const date = new Date(time)
  return (dayOf(date.getTime()) === today.value ? TIME : DAY_AND_TIME).format(date)
}

const TIME = new Intl.DateTimeFormat(LOCALE, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const DAY_AND_TIME = new Intl.DateTimeFormat(LOCALE, {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

/** `20 ms`, `0.3 s`, `12 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`: two parts at most. */
export const durationText = (ms: number): string => {
  if (ms > 0 && ms < 100) return `${Math.ceil(ms)} ms`
  if (ms < 10_000) return `${(Math.floor(Math.max(0, ms) / 100) / 10).toFixed(1)} s`
  const seconds = Math.floor(ms / 1000)
  for (const [size, unit, partSize, partUnit] of UNITS) {
    if (seconds < size) continue
    const part = Math.floor((seconds % size) / partSize)
    return part === 0
      ? `${Math.floor(seconds / size)} ${unit}`
      : `${Math.floor(seconds / size)} ${unit} ${part} ${partUnit}`
  }
  return `${seconds} s`
}

const UNITS = [
  [86_400, 'd', 3600, 'h'],
  [3600, 'h', 60, 'min'],
  [60, 'min', 1, 's'],
] as const

export interface Times {
  state: string
  pid: number
  createTime: string
  startTime: string
  finishTime: string
}

/** How long a job has run, in milliseconds; undefined for one that never did. A running one ticks. */
export const runningMs = ({ state, pid, startTime, finishTime }: Times): number | undefined => {
  // One that could not be started has the time of the try, and no process.
  if (pid === 0 || !isTime(startTime)) return undefined
  const end = state === 'running' ? now.value : Date.parse(finishTime)
  return Math.max(0, end - Date.parse(startTime))
}
