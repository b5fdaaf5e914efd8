import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect } from 'preact/hooks'
import type { ClientError, Job } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { jobAddress } from '../route.ts'
import type { Session } from '../session.ts'
import type { Draft, Drafts } from './drafts.ts'
import { formOfJob } from './form-of-job.ts'
import { RunFields } from './run-fields.ts'
import { words } from './words.ts'

export interface RunPageProps {
  session: Session
  drafts: Drafts
  /** The id of a job that is to be run again. */
  from: string | undefined
}

/** A command or a script, how it is to be run, and the button that runs it. */
export const RunPage = ({ session, drafts, from }: RunPageProps) => {
  const draft = drafts.of(from)
  const notRead = useSignal<string | undefined>(undefined)
  useEffect(() => {
    if (from === undefined || draft.job.peek()) return
    void readJob(session, draft, from).then(error => {
      notRead.value = error?.message
    })
  }, [])

  if (!session.can('run')) return html`<div><h1>${words.title}</h1><p>${words.notAllowed}</p></div>`
  const job = draft.job.value
  const isReading = from !== undefined && !job && notRead.value === undefined
  return html`<div class="run">
    <h1>${words.title}</h1>
    ${notRead.value === undefined ? null : html`<p class="fault" role="alert">${words.notRead(notRead.value)}</p>`}
    ${job ? source(job) : null}
    ${isReading ? html`<p class="quiet">${words.reading}</p>` : h(RunFields, { session, draft })}
  </div>`
}

const readJob = async ({ client }: Session, draft: Draft, id: string): Promise<ClientError | undefined> => {
  const read = await client.job(id).get({ output: false })
  if (!read.ok) return read.error
  draft.form.value = formOfJob(read.value)
  draft.job.value = read.value
  return undefined
}

const source = ({ id, scriptName }: Job) => html`<p class="source small">${words.fromJob}
  <a class="code" href=${jobAddress(id)}>${id.slice(0, 12)}</a>. ${words.notKept}
  ${scriptName === '' ? null : html` <b>${words.scriptNotKept}</b>`}</p>`
