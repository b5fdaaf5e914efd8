import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { ListedJob } from '../../lib/client/client.ts'
import { cancelWords as words } from './cancel-words.ts'
import { commandText } from './command-text.ts'
import { Dialog } from './dialog.ts'
import { html } from './html.ts'
import type { Session } from './session.ts'
import { visibleText } from './visible-text.ts'

export interface CancelDialogProps {
  session: Pick<Session, 'client'>
  job: Pick<ListedJob, 'id' | 'execCmd' | 'scriptName' | 'params'>
  onClose(): void
  /** Of one that was closed before the agent has answered. */
  onLateFailure(message: string): void
}

/** Asks whether a job is to be canceled, and how; it closes when the job has ended. */
export const CancelDialog = ({ session, job, onClose, onLateFailure }: CancelDialogProps) => {
  const grace = useSignal('')
  const isStopping = useSignal(false)
  const fault = useSignal('')
  const over = useRef(new AbortController())
  useEffect(() => () => over.current.abort(), [])

  const onSubmit = async (event: Event): Promise<void> => {
    event.preventDefault()
    isStopping.value = true
    fault.value = ''
    const canceled = await session.client.job(job.id).cancel({ grace: grace.value.trim() || undefined })
    if (over.current.signal.aborted) {
      if (!canceled.ok) onLateFailure(words.lateFailure(canceled.error.message))
      return
    }
    isStopping.value = false
    if (canceled.ok) onClose()
    else fault.value = canceled.error.message
  }

  const body = html`<form onSubmit=${onSubmit}>
    <p class="code dialog-command">${visibleText(commandText(job))}</p>
    <p>${words.explanation}</p>
    <label class="field">${words.grace}
      <input autofocus autocomplete="off" spellcheck="false" placeholder=${words.example} value=${grace.value}
        disabled=${isStopping.value} aria-describedby="cancel-hint" aria-invalid=${fault.value !== ''}
        onInput=${(event: Event) => {
          grace.value = (event.currentTarget as HTMLInputElement).value
        }} /></label>
    <p id="cancel-hint" class="quiet small">${words.hint}</p>
    <p class="fault" role="alert">${fault.value}</p>
    <p class="quiet" role="status">${isStopping.value ? words.stopping : ''}</p>
    <div class="tools">
      <button class="danger" disabled=${isStopping.value}>${words.cancel}</button>
      <button type="button" onClick=${onClose}>${isStopping.value ? words.close : words.keep}</button>
    </div>
  </form>`
  return h(Dialog, { title: words.title, onClose, children: body })
}
