import { useId, useMemo } from 'preact/hooks'
import { html } from '../html.ts'
import { hasHiddenCharacters } from './hidden-characters.ts'
import { highlight, type Token } from './highlight.ts'
import { words } from './words.ts'

export interface CodeFieldProps {
  label: string
  hint: string
  language: 'shell' | 'python'
  value: string
  /** How high it is at least. */
  lines: number
  isFaulty: boolean
  onInput(value: string): void
}

/**
 * A field that grows with its text, and shows it in colours: they are those of a copy of the text, on which the field
 * lies with a text that is not drawn. Tab leaves it, as it does every field.
 */
export const CodeField = ({ label, hint, language, value, lines, isFaulty, onInput }: CodeFieldProps) => {
  const id = useId()
  const tokens = useMemo(() => highlight(value, language), [value, language])
  const isHiding = useMemo(() => hasHiddenCharacters(value), [value])
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <div class="code-field ${tokens ? '' : 'plain'}">
      ${tokens ? html`<pre aria-hidden="true">${tokens.map(span)}${'\n'}</pre>` : null}
      <textarea id=${id} rows=${lines} value=${value} spellcheck="false" autocapitalize="off" autocomplete="off"
        aria-describedby="${id}-hint" aria-invalid=${isFaulty}
        onInput=${(event: Event) => onInput((event.currentTarget as HTMLTextAreaElement).value)}></textarea>
    </div>
    <p id="${id}-hint" class="hint">${hint}${isHiding ? html`<b class="warning"> ${words.hiding}</b>` : null}</p>
  </div>`
}

const span = ({ text, type }: Token) =>
  type === undefined ? text : html`<span class="token-${type}">${text}</span>`
