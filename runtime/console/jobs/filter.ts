import type { JobQuery } from '../../../lib/client/client.ts'

/** Which jobs are shown, as the agent's list takes it and the address has it; "" where it does not matter. */
export type JobFilter = Record<(typeof NAMES)[number], string>

const NAMES = ['state', 'label', 'caller', 'since', 'until', 'q'] as const

export const parseFilter = (parameters: URLSearchParams): JobFilter =>
  Object.fromEntries(NAMES.map(name => [name, parameters.get(name) ?? ''])) as JobFilter

export const NO_FILTER: JobFilter = { state: '', label: '', caller: '', since: '', until: '', q: '' }

export const isFiltering = (filter: JobFilter): boolean => NAMES.some(name => filter[name] !== '')

export const queryOf = (filter: JobFilter): JobQuery =>
  Object.fromEntries(NAMES.filter(name => filter[name] !== '').map(name => [name, filter[name]]))

/** `#/jobs?state=failed&label=env%3Dprod`. */
export const filterAddress = (filter: JobFilter): string => {
  const query = new URLSearchParams(queryOf(filter) as Record<string, string>).toString()
  return query === '' ? '#/jobs' : `#/jobs?${query}`
}

/** What a comma stands between; empty for "". */
export const listOf = (text: string): string[] => text.split(',').filter(one => one !== '')

/** With it when it was not in the list, and without it when it was. */
export const toggled = (list: string, one: string): string => {
  const known = listOf(list)
  return (known.includes(one) ? known.filter(other => other !== one) : [...known, one]).join(',')
}

export const withLabel = (filter: JobFilter, label: string): JobFilter =>
  listOf(filter.label).includes(label) ? filter : { ...filter, label: toggled(filter.label, label) }
