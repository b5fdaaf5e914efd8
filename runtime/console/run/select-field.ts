import { useId } from 'preact/hooks'
import { html } from '../html.ts'

export interface SelectFieldProps<T extends string> {
  label: string
  hint?: string | undefined
  value: T
  options: readonly (readonly [value: T, label: string])[]
  isFaulty?: boolean
  onChange(value: T): void
}

/** One of a few. */
export const SelectField = <T extends string>(props: SelectFieldProps<T>) => {
  const { label, hint, value, options, isFaulty = false, onChange } = props
  const id = useId()
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select id=${id} value=${value} aria-describedby=${hint ? `${id}-hint` : undefined} aria-invalid=${isFaulty}
      onChange=${(event: Event) => onChange((event.currentTarget as HTMLSelectElement).value as T)}>
      ${options.map(([one, text]) => html`<option value=${one} selected=${one === value}>${text}</option>`)}
    </select>
    ${hint ? html`<p id="${id}-hint" class="hint">${hint}</p>` : null}
  </div>`
}
