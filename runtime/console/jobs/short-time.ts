import { html } from '../html.ts'
import { LOCALE } from '../language.ts'
import { dayOf, isTime, today } from '../time.ts'

/**
 * When something was, as short as it can be understood; the exact time is shown when one points at it. Who shows it is
 * drawn anew on the next day.
 */
export const shortMoment = (time: string) =>
  isTime(time) ? html`<time datetime=${time} title=${time}>${shortest(new Date(time))}</time>` : '—'

/** `14:02:11` today, `11/26, 14:02` this year, `2025/11/26` before. */
const shortest = (date: Date): string => {
  if (dayOf(date.getTime()) === today.value) return TIME.format(date)
  const isThisYear = date.getFullYear() === new Date(today.value).getFullYear()
  return (isThisYear ? DAY_AND_TIME : DAY).format(date)
}

const HOURS = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const DAYS = { month: '2-digit', day: '2-digit' } as const
const TIME = new Intl.DateTimeFormat(LOCALE, { ...HOURS, second: '2-digit' })
const DAY_AND_TIME = new Intl.DateTimeFormat(LOCALE, { ...DAYS, ...HOURS })
const DAY = new Intl.DateTimeFormat(LOCALE, { year: 'numeric', ...DAYS })
