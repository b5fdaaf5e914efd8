import { useLayoutEffect, useRef } from 'preact/hooks'
import { html } from '../html.ts'
import type { Pair } from './form.ts'
import { splitPairs } from './split-pairs.ts'
import { words } from './words.ts'

export interface PairsFieldProps {
  label: string
  hint: string
  /** On the button that adds one. */
  addLabel: string
  pairs: readonly Pair[]
  isFaulty: boolean
  onChange(pairs: readonly Pair[]): void
}

/** Names with their values, a row each; several that are pasted become rows. */
export const PairsField = ({ label, hint, addLabel, pairs, isFaulty, onChange }: PairsFieldProps) => {
  const place = useRef<HTMLFieldSetElement>(null)
  const focus = useRef<number | 'add' | undefined>(undefined)
  useLayoutEffect(() => {
    if (focus.current === 'add') place.current?.querySelector<HTMLElement>('button.add')?.focus()
    else if (focus.current !== undefined)
      place.current?.querySelectorAll<HTMLElement>('.pair-name')[focus.current]?.focus()
    focus.current = undefined
  })

  const change = (index: number, changes: Partial<Pair>): void =>
    onChange(pairs.map((pair, at) => (at === index ? { ...pair, ...changes } : pair)))
  const add = (): void => {
    focus.current = pairs.length
    onChange([...pairs, { name: '', value: '' }])
  }
  const remove = (index: number): void => {
    focus.current = 'add'
    onChange(pairs.toSpliced(index, 1))
  }
  const paste = (index: number, event: ClipboardEvent): void => {
    const pasted = splitPairs(event.clipboardData?.getData('text/plain') ?? '')
    // Behind a name it is the value, whatever it looks like.
    if (!pasted || pairs[index]!.name !== '') return
    event.preventDefault()
    onChange(pairs.toSpliced(index, 1, ...pasted))
  }

  const row = ({ name, value }: Pair, index: number) => html`<div class="pair" key=${index}>
    <input class="code pair-name" value=${name} aria-label="${label}: ${words.name} ${index + 1}"
      placeholder=${words.name} aria-invalid=${isFaulty} ...${PLAIN_TEXT} onInput=${(event: Event) =>
        change(index, { name: (event.currentTarget as HTMLInputElement).value })}
      onPaste=${(event: ClipboardEvent) => paste(index, event)} />
    <textarea class="code pair-value" rows="1" value=${value} aria-label="${label}: ${words.value} ${index + 1}"
      placeholder=${words.value} aria-invalid=${isFaulty} ...${PLAIN_TEXT} onInput=${(event: Event) =>
        change(index, { value: (event.currentTarget as HTMLTextAreaElement).value })}
      onPaste=${(event: ClipboardEvent) => paste(index, event)}></textarea>
    <button type="button" class="plain" onClick=${() => remove(index)}
      aria-label="${words.remove}: ${name === '' ? index + 1 : name}" title=${words.remove}>✕</button>
  </div>`

  return html`<fieldset class="pairs" ref=${place}>
    <legend>${label}</legend>
    ${pairs.map(row)}
    <div class="tools"><button type="button" class="add" onClick=${add}>${addLabel}</button>
      <span class="hint">${hint}</span></div>
  </fieldset>`
}

const PLAIN_TEXT = { spellcheck: false, autocapitalize: 'off', autocomplete: 'off' }
