import { useSignal } from '@preact/signals'
import { h } from 'preact'
import type { JobHandle } from '../../../lib/client/client.ts'
import { Dialog } from '../dialog.ts'
import { html } from '../html.ts'
import { words } from './words.ts'

export interface SignalDialogProps {
  job: Pick<JobHandle, 'signal'>
  onClose(): void
  onSent(name: string): void
}

/** Sends a signal to a job's own process, or to all of its processes. */
export const SignalDialog = ({ job, onClose, onSent }: SignalDialogProps) => {
  const name = useSignal<SignalName>('HUP')
  const to = useSignal<'leader' | 'all'>('leader')
  const fault = useSignal('')
  const isBusy = useSignal(false)
  const onSubmit = async (event: Event): Promise<void> => {
    event.preventDefault()
    isBusy.value = true
    const sent = await job.signal(name.value, { to: to.value })
    isBusy.value = false
    fault.value = sent.ok ? '' : sent.error.message
    if (!sent.ok) return
    onSent(name.value)
    onClose()
  }
  const target = (one: 'leader' | 'all') => html`<label class="choice">
    <input type="radio" name="to" checked=${to.value === one} onChange=${() => {
      to.value = one
    }} />${words[one]}</label>`
  const form = html`<form class="signal-form" onSubmit=${onSubmit}>
    <label class="field">${words.signalName}
      <select value=${name.value} autofocus aria-describedby="signal-meaning" onChange=${(event: Event) => {
        name.value = (event.currentTarget as HTMLSelectElement).value as SignalName
      }}>${SIGNALS.map(one => html`<option value=${one}>${one}</option>`)}</select></label>
    <p class="quiet small" id="signal-meaning">${name.value}: ${words.signals[name.value]}</p>
    <fieldset class="choices"><legend class="small quiet">${words.signalTo}</legend>${target('leader')}${target('all')}</fieldset>
    <p class="fault" role="alert">${fault.value}</p>
    <div class="tools"><button class="primary" disabled=${isBusy.value}>${words.send}</button>
      <button type="button" class="plain" onClick=${onClose}>${words.close}</button></div>
  </form>`
  return h(Dialog, { title: words.signalTitle, onClose, children: form })
}

type SignalName = keyof typeof words.signals
const SIGNALS = Object.keys(words.signals) as SignalName[]
