import { html } from './html.ts'
import { isTime, shortTime } from './time.ts'

/** A time in the local zone, with the exact one when one points at it. */
export const moment = (time: string) =>
  isTime(time) ? html`<time datetime=${time} title=${time}>${shortTime(time)}</time>` : '—'
