import { useId } from 'preact/hooks'
import { html } from '../html.ts'

export interface TextFieldProps {
  label: string
  hint?: string | undefined
  placeholder?: string | undefined
  value: string
  isFaulty?: boolean
  isDisabled?: boolean
  isCode?: boolean
  onInput(value: string): void
}

/** One line of text. */
export const TextField = ({ label, hint, placeholder, value, ...props }: TextFieldProps) => {
  const id = useId()
  const { isFaulty = false, isDisabled = false, isCode = false, onInput } = props
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} class=${isCode ? 'code' : undefined} value=${value} placeholder=${placeholder}
      disabled=${isDisabled} spellcheck="false" autocapitalize="off" autocomplete="off"
      aria-describedby=${hint ? `${id}-hint` : undefined} aria-invalid=${isFaulty}
      onInput=${(event: Event) => onInput((event.currentTarget as HTMLInputElement).value)} />
    ${hint ? html`<p id="${id}-hint" class="hint">${hint}</p>` : null}
  </div>`
}
