import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect } from 'preact/hooks'
import { html } from '../html.ts'
import { stateMark } from '../state-mark.ts'
import { isFiltering, type JobFilter, listOf, NO_FILTER, toggled } from './filter.ts'
import { FilterField } from './filter-field.ts'
import { localTime, timeOf } from './local-time.ts'
import { words } from './words.ts'

export interface FilterBarProps {
  filter: JobFilter
  /** What the agent says of the filter; "" when it takes it. */
  fault: string
  onFilter(filter: JobFilter): void
}

/** Which jobs are shown. */
export const FilterBar = ({ filter, fault, onFilter }: FilterBarProps) => {
  const field = (name: 'q' | 'label' | 'caller', label: string, placeholder: string) =>
    h(FilterField, {
      name,
      label,
      placeholder,
      value: filter[name],
      isInvalid: isNamed(name, fault),
      onChange: value => onFilter({ ...filter, [name]: value.trim() }),
    })
  return html`<form role="search" class="filters" aria-label=${words.filters} onSubmit=${(event: Event) => event.preventDefault()}>
    <div role="group" class="tools" aria-label=${words.states}>${STATES.map(state => {
      const isOn = listOf(filter.state).includes(state)
      const onClick = () => onFilter({ ...filter, state: toggled(filter.state, state) })
      return html`<button type="button" class="chip" aria-pressed=${isOn} onClick=${onClick}>${stateMark(state)}</button>`
    })}${
      isFiltering(filter)
        ? html`<button type="button" class="plain filters-clear" onClick=${() => onFilter(NO_FILTER)}>${words.clear}</button>`
        : null
    }</div>
    ${field('q', words.text, words.textHint)}
    ${field('label', words.label, words.labelHint)}
    ${field('caller', words.caller, '')}
    ${h(TimeFields, { filter, fault, onFilter })}
  </form>`
}

const STATES = ['running', 'success', 'failed', 'canceled', 'rejected'] as const

/** Whether the agent means this parameter. */
const isNamed = (name: string, fault: string): boolean => new RegExp(`(^|[^\\w])${name} `).test(fault)

/** The usual times to choose from, and two fields for others. */
const TimeFields = ({ filter, fault, onFilter }: FilterBarProps) => {
  const { since, until } = filter
  const isUsual = until === '' && since !== 'custom' && Object.hasOwn(words.times, since)
  const isOpen = useSignal(!isUsual)
  useEffect(() => {
    isOpen.value = !isUsual
  }, [since, until])

  const onChoose = (event: Event): void => {
    const { value } = event.currentTarget as HTMLSelectElement
    isOpen.value = value === 'custom'
    if (value !== 'custom') onFilter({ ...filter, since: value, until: '' })
  }
  const field = (name: 'since' | 'until') =>
    h(FilterField, {
      name,
      label: words[name],
      placeholder: words.timeHint,
      value: localTime(filter[name]),
      isInvalid: isNamed(name, fault),
      onChange: value => onFilter({ ...filter, [name]: timeOf(value) }),
      isLive: false,
    })
  return html`<div class="filter-times">
    <label class="field"><span class="small quiet">${words.created}</span>
      <select value=${isOpen.value ? 'custom' : since} onChange=${onChoose}>${Object.entries(words.times).map(
        ([value, text]) => html`<option value=${value}>${text}</option>`,
      )}</select></label>
    ${isOpen.value ? field('since') : null}${isOpen.value ? field('until') : null}
  </div>`
}
