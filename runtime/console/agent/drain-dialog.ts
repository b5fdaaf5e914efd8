import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { Dialog } from '../dialog.ts'
import { html } from '../html.ts'
import type { Session } from '../session.ts'
import { words } from './words.ts'

export interface DrainDialogProps {
  session: Session
  running: number
  onClose(): void
}

/** Says what a drain does before it is done. */
export const DrainDialog = ({ session, running, onClose }: DrainDialogProps) => {
  const isBusy = useSignal(false)
  const fault = useSignal('')
  const drain = async (): Promise<void> => {
    isBusy.value = true
    const drained = await session.client.drain()
    isBusy.value = false
    if (!drained.ok) {
      fault.value = drained.error.message
      return
    }
    onClose()
    await session.refresh()
  }
  const content = html`<div>
    <p>${words.drainText(running)}</p>
    <p>${words.drainAfter}</p>
    <p class="fault" role="alert">${fault.value}</p>
    <div class="tools">
      <button class="danger" disabled=${isBusy.value} onClick=${drain}>${isBusy.value ? words.draining : words.drain}</button>
      <button autofocus onClick=${onClose}>${words.drainKeep}</button>
    </div>
  </div>`
  return h(Dialog, { title: words.drainTitle, onClose, children: content })
}
