import { html } from '../html.ts'
import type { Session } from '../session.ts'
import { words } from '../words.ts'
import type { JobFeed } from './job-feed.ts'

/** How many jobs run, of how many may: a segment a slot as long as they can be told apart, those in use filled. */
export const SlotsBar = ({ feed, session }: { feed: JobFeed; session: Session }) => {
  const { limit } = session.agent.value
  const running = feed.running.value
  const isFew = limit <= MOST_SEGMENTS
  const segments = isFew ? limit : MOST_SEGMENTS
  const used = isFew ? running : Math.ceil((running / limit) * MOST_SEGMENTS)
  const text = words.slots(running, limit)
  return html`<div class=${`slots${running >= limit ? ' full' : ''}`} title=${text}>
    <span class="slot-marks" aria-hidden="true">${Array.from({ length: segments }, (_, at) => html`<i class=${at < used ? 'used' : ''}></i>`)}</span>
    <span aria-hidden="true">${running}<span class="quiet">/${limit}</span></span>
    <span class="unseen">${text}</span>
  </div>`
}

const MOST_SEGMENTS = 20
