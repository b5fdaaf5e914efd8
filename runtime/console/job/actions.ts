import { type Signal, useSignal } from '@preact/signals'
import { h } from 'preact'
import type { Job } from '../../../lib/client/client.ts'
import { CancelDialog } from '../cancel-dialog.ts'
import { asCurl, asNewdt } from '../copy-as.ts'
import { CopyButton } from '../copy-button.ts'
import { html } from '../html.ts'
import { language } from '../language.ts'
import { mayAct } from '../may-act.ts'
import { proofNotes } from '../proof-notes.ts'
import { agentUrl, type Session } from '../session.ts'
import { SignalDialog } from './signal-dialog.ts'
import { words } from './words.ts'

export type OpenDialog = 'cancel' | 'signal' | 'keys' | undefined

export interface ActionsProps {
  session: Session
  job: Job
  dialog: Signal<OpenDialog>
}

/** What one may do with a job. */
export const Actions = ({ session, job, dialog }: ActionsProps) => {
  const told = useSignal('')
  const lateFailure = useSignal('')
  const isScript = job.scriptName !== ''
  const controls = mayAct(session, job) && job.state === 'running'
  const onClose = (): void => {
    dialog.value = undefined
  }
  const onSent = (name: string): void => {
    told.value = words.signalSent(name)
  }
  const onLateFailure = (message: string): void => {
    lateFailure.value = message
  }
  const open = (which: OpenDialog) => () => {
    dialog.value = which
  }
  return html`<div class="actions" role="group" aria-label=${words.actions}>
    <div class="tools">
      ${controls ? html`<button class="danger" onClick=${open('cancel')} aria-keyshortcuts="c">${words.cancel}</button>` : null}
      ${controls ? html`<button onClick=${open('signal')}>${words.signal}</button>` : null}
      ${session.can('run') ? runAgain(job, isScript) : null}
      ${isScript ? null : h(CopyAs, { job, proof: session.proof })}
    </div>
    ${isScript && session.can('run') ? html`<p class="small quiet" id="script-not-kept">${words.scriptNotKept}</p>` : null}
    <p class="small quiet told" role="status">${job.state === 'running' ? told.value : ''}</p>
    <p class="small fault" role="alert">${lateFailure.value}</p>
    ${dialog.value === 'cancel' ? h(CancelDialog, { session, job, onClose, onLateFailure }) : null}
    ${dialog.value === 'signal' ? h(SignalDialog, { job: session.client.job(job.id), onClose, onSent }) : null}
  </div>`
}

const runAgain = ({ id }: Job, isScript: boolean) =>
  isScript
    ? html`<button disabled aria-describedby="script-not-kept">${words.runAgain}</button>`
    : html`<a class="button" href=${`#/run?from=${id}`}>${words.runAgain}</a>`

/** What is not in the copy is said once one has it. */
const CopyAs = ({ job, proof }: { job: Job; proof: Session['proof'] }) => {
  const note = useSignal('')
  const copied = (text: string) => () => {
    note.value = text
  }
  const curl = {
    text: () => asCurl(job, { agentUrl: agentUrl().href, proof, language }),
    onCopied: copied(`${words.notKept} ${proofNotes[proof]}`),
    children: words.asCurl,
  }
  const newdt = {
    text: () => asNewdt(job, agentUrl().href),
    onCopied: copied(words.notKept),
    children: words.asNewdt,
  }
  return html`<div class="tools">${h(CopyButton, curl)}${h(CopyButton, newdt)}
    <span class="small quiet" role="status">${note.value}</span></div>`
}
