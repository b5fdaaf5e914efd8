import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { html } from './html.ts'

export interface DialogProps {
  title: string
  /** By Escape, for example. Whoever shows the dialog takes it away then. */
  onClose(): void
  children: ComponentChildren
}

/** Over the page, which takes nothing meanwhile; what had the focus has it again afterwards. */
export const Dialog = ({ title, onClose, children }: DialogProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    // One that is only taken away does not give the focus back.
    return () => element?.close()
  }, [])
  const onClick = (event: Event): void => {
    if (event.target === dialog.current) onClose() // Beside what is in it.
  }
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="dialog-title" onClick=${onClick}
    onCancel=${(event: Event) => {
      event.preventDefault()
      onClose()
    }}><div><h2 id="dialog-title">${title}</h2>${children}</div></dialog>`
}
