import { h } from 'preact'
import { html } from '../html.ts'
import { durationText } from '../time.ts'
import { visibleTextOf } from '../visible-text.ts'
import type { Bounds } from './form-within.ts'
import type { FormProps } from './option-sections.ts'
import { PairsField } from './pairs-field.ts'
import { SelectField } from './select-field.ts'
import { TextField } from './text-field.ts'
import { words } from './words.ts'

export interface HowFieldsProps extends FormProps {
  users: readonly string[]
  bounds: Bounds
}

/** Where, as whom and for how long it runs, with which variables and labels. */
export const HowFields = ({ form, faulty, onChange, users, bounds }: HowFieldsProps) => {
  // A job that is run again may have had one that this key has not.
  const offered = form.user === '' || users.includes(form.user) ? users : [form.user, ...users]
  const userField = () =>
    h(SelectField<string>, {
      label: words.user,
      value: form.user,
      options: [['', words.ownUser], ...offered.map(user => [user, user] as const)],
      isFaulty: faulty.has('user'),
      onChange: user => onChange({ user }),
    })
  const cwdField = () =>
    h(TextField, {
      label: words.cwd,
      hint: bounds.cwd ? words.cwdWithin(bounds.cwd.map(visibleTextOf).join(', ')) : words.cwdHint,
      placeholder: bounds.cwd ? '' : words.cwdDefault,
      value: form.cwd,
      isCode: true,
      isFaulty: faulty.has('cwd'),
      onInput: cwd => onChange({ cwd }),
    })
  const envField = () =>
    h(PairsField, {
      label: words.env,
      hint: words.pasteHint,
      addLabel: words.addVariable,
      pairs: form.env,
      isFaulty: faulty.has('env'),
      onChange: env => onChange({ env }),
    })
  const longest = bounds.timeoutMs === undefined ? undefined : durationText(bounds.timeoutMs)
  return html`<div class="stack">
    <div class="fields">
      ${bounds.commands && !bounds.cwd ? null : cwdField()}
      ${offered.length > 0 ? userField() : null}
      ${h(TextField, {
        label: words.timeout,
        hint: longest === undefined ? words.timeoutHint : words.timeoutWithin(longest),
        placeholder: longest ?? words.none,
        value: form.timeout,
        isFaulty: faulty.has('timeout'),
        onInput: timeout => onChange({ timeout }),
      })}
    </div>
    ${bounds.commands ? null : envField()}
    ${h(PairsField, {
      label: words.labels,
      hint: '',
      addLabel: words.addLabel,
      pairs: form.labels,
      isFaulty: faulty.has('labels'),
      onChange: labels => onChange({ labels }),
    })}
  </div>`
}
