import type { Signal } from '@preact/signals'
import { h } from 'preact'
import type { Job } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { language } from '../language.ts'
import type { View } from '../output/view.ts'
import type { Session } from '../session.ts'
import { sizeText } from '../size.ts'
import { durationText, runningMs } from '../time.ts'
import { visibleText } from '../visible-text.ts'
import { Actions, type OpenDialog } from './actions.ts'
import { CommandBox } from './command-box.ts'
import { endingText } from './ending.ts'
import { Facts } from './facts.ts'
import type { FollowedJob } from './follow-job.ts'
import { LeftoversPanel } from './leftovers-panel.ts'
import { OutputPanel } from './output-panel.ts'
import { UsePanel } from './use-panel.ts'
import { words } from './words.ts'

export interface JobContentProps {
  session: Session
  followed: FollowedJob
  job: Job
  view: View
  dialog: Signal<OpenDialog>
}

/** All that is known of a job. */
export const JobContent = ({ session, followed, job, view, dialog }: JobContentProps) => {
  const handle = session.client.job(job.id)
  return html`<div class="job-columns">
    <div class="job-head">
      ${h(Ending, { followed, job })}
      ${h(CommandBox, { job })}
      ${h(Actions, { session, job, dialog })}
    </div>
    ${h(OutputPanel, { followed, handle, view })}
    <div class="job-side">
      ${h(UsePanel, { session, followed, job })}
      ${job.livingLeftovers > 0 ? h(LeftoversPanel, { handle }) : null}
      ${h(Facts, { job, writtenBytes: followed.writtenBytes })}
    </div>
  </div>`
}

/** How it goes, or has gone; an end that comes while one looks is said aloud. */
const Ending = ({ followed, job }: { followed: FollowedJob; job: Job }) => {
  const ms = runningMs(job)
  const duration = ms === undefined ? undefined : durationText(ms)
  const ending = endingText(job, { language, duration, sizeText })
  const running = duration === undefined ? words.starting : words.runningFor(duration)
  return html`<div class="ending ${job.state}">
    <p>${job.state === 'running' ? running : visibleText(ending)}</p>
    <p class="unseen" role="status">${followed.hasEndedMeanwhile.value ? words.hasEnded(ending) : ''}</p>
  </div>`
}
