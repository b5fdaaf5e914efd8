import { h } from 'preact'
import type { Agent } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { exactLimit, LIMIT_NAMES, LIMITS, type LimitName } from '../limits.ts'
import type { RunForm } from './form.ts'
import { countSet, type FormProps, Section } from './option-sections.ts'
import { SelectField } from './select-field.ts'
import { TextField } from './text-field.ts'
import { words } from './words.ts'

/** What the job may use and do. What the machine cannot keep is not offered, and told. */
export const LimitsSection = ({ form, faulty, onChange, agent }: FormProps & { agent: Agent }) => {
  const limitField = (name: LimitName) => {
    const isMissing = 'missing' in agent.limits[name]
    const byDefault = agent.defaultLimits[name]
    return h(TextField, {
      label: LIMITS[name].label,
      hint: hintOf(name, agent),
      placeholder: isMissing ? '' : byDefault === undefined ? words.noLimit : exactLimit(name, byDefault),
      value: form.limits[name],
      // One that came from another job can be seen, and taken away.
      isDisabled: isMissing && form.limits[name] === '',
      isFaulty: faulty.has(`limits.${name}`),
      onInput: value => onChange({ limits: { ...form.limits, [name]: value } }),
    })
  }
  const content = html`<div>
    <div class="fields">
      ${LIMIT_NAMES.map(limitField)}
      ${h(SelectField<RunForm['leftovers']>, {
        label: words.leftovers,
        value: form.leftovers,
        options: [
          ['', words.asAgent(words.keepLeftovers)],
          ['kill', words.killLeftovers],
        ],
        onChange: leftovers => onChange({ leftovers }),
      })}
    </div>
    <label class="choice"><input type="checkbox" checked=${form.noNewPrivileges} onChange=${() =>
      onChange({ noNewPrivileges: !form.noNewPrivileges })} />${words.noNewPrivileges}</label>
  </div>`
  const isFaulty = [...faulty].some(field => field.startsWith('limits.'))
  const count = countSet(...Object.values(form.limits), form.leftovers, form.noNewPrivileges)
  return h(Section, { title: words.limits, isFaulty, count, children: content })
}

const hintOf = (name: LimitName, { limits, maxLimits }: Agent): string => {
  const support = limits[name]
  if ('missing' in support) return words.limitMissing(support.missing)
  const most = [maxLimits[name], support.most].filter(value => value !== undefined)
  const { hint } = LIMITS[name]
  return most.length === 0 ? hint : `${hint} ${words.limitMost(exactLimit(name, Math.min(...most)))}`
}
