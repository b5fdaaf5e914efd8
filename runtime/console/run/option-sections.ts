import { type ComponentChildren, h } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { html } from '../html.ts'
import type { RunForm } from './form.ts'
import { SelectField } from './select-field.ts'
import { TextField } from './text-field.ts'
import { words } from './words.ts'

export interface FormProps {
  form: RunForm
  /** The fields that the agent has refused. */
  faulty: ReadonlySet<string>
  onChange(changes: Partial<RunForm>): void
}

interface SectionProps {
  title: string
  /** Has what the agent has refused, so it must be seen. */
  isFaulty: boolean
  /** How much is set in it. */
  count: number
  children: ComponentChildren
}

/** What is seldom needed, behind a heading that says whether something is set there. */
export const Section = ({ title, isFaulty, count, children }: SectionProps) => {
  const details = useRef<HTMLDetailsElement>(null)
  useLayoutEffect(() => {
    if (isFaulty && details.current) details.current.open = true
  }, [isFaulty])
  return html`<details ref=${details}>
    <summary>${title}${count > 0 ? html` <span class="quiet small">${words.setHere(count)}</span>` : null}</summary>
    ${children}
  </details>`
}

export const InputSection = ({ form, faulty, onChange }: FormProps) => {
  const id = useId()
  const content = html`<div class="field">
    <label for=${id}>${words.stdin}</label>
    <textarea id=${id} class="code input-field" rows="4" spellcheck="false" value=${form.stdin}
      aria-describedby="${id}-hint" aria-invalid=${faulty.has('stdin')} onInput=${(event: Event) =>
        onChange({ stdin: (event.currentTarget as HTMLTextAreaElement).value })}></textarea>
    <p id="${id}-hint" class="hint">${words.stdinHint}</p>
  </div>`
  return h(Section, {
    title: words.input,
    isFaulty: faulty.has('stdin'),
    count: countSet(form.stdin),
    children: content,
  })
}

export const OutputSection = ({ form, faulty, onChange }: FormProps) => {
  const content = html`<div class="fields">
    ${h(TextField, {
      label: words.encoding,
      hint: words.encodingHint,
      placeholder: 'utf-8',
      value: form.encoding,
      isFaulty: faulty.has('encoding'),
      onInput: encoding => onChange({ encoding }),
    })}
    ${h(TextField, {
      label: words.outputLimit,
      hint: words.outputLimitHint,
      placeholder: words.agentLimit,
      value: form.outputLimit,
      isFaulty: faulty.has('outputLimit'),
      onInput: outputLimit => onChange({ outputLimit }),
    })}
    ${h(SelectField<RunForm['onOutputLimit']>, {
      label: words.onOutputLimit,
      value: form.onOutputLimit,
      options: [
        ['', words.asAgent(words.drop)],
        ['kill', words.kill],
      ],
      onChange: onOutputLimit => onChange({ onOutputLimit }),
    })}
  </div>`
  const isFaulty = faulty.has('encoding') || faulty.has('outputLimit')
  const count = countSet(form.encoding, form.outputLimit, form.onOutputLimit)
  return h(Section, { title: words.output, isFaulty, count, children: content })
}

export const countSet = (...values: (string | boolean)[]): number => values.filter(Boolean).length
