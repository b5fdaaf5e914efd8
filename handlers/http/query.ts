import type { ZodType } from 'zod'
import { nearest } from '../../lib/base/nearest.ts'
import { refusal } from './refusal.ts'
import { MOST_FAULTS, shorten, validate } from './validate.ts'

/** The query in the schema's shape; a parameter that is repeated is a fault. Throws AgentError 400. */
export const validateQuery = <T>(schema: ZodType<T> & { shape: object }, url: string): T => {
  const parameters = queryOf(url)
  const values: Record<string, string> = {}
  for (const name of Object.keys(schema.shape)) {
    const [value, ...more] = parameters.getAll(name)
    if (more.length > 0) throw refusal('invalid-request', { detail: `${name} 重复` })
    if (value !== undefined) values[name] = value
  }
  return validate(schema, values)
}

/** Throws AgentError 400 that names parameters of the query that are not known, with what may have been meant. */
export const refuseUnknownParameters = (url: string, known: readonly string[]): void => {
  const faults = new Set<string>()
  for (const name of queryOf(url).keys()) {
    if (SIGNATURE.includes(name) || known.includes(name)) continue
    const meant = nearest(shorten(name), known)
    faults.add(`未知参数 ${shorten(name)}${meant === undefined ? '' : `（是否为 ${meant}？）`}`)
    if (faults.size === MOST_FAULTS) break
  }
  if (faults.size > 0) throw refusal('invalid-request', { detail: [...faults].join('；') })
}

/** The parameters of an absolute URL without a fragment, as requests have them; parsing all of it costs more. */
export const queryOf = (url: string): URLSearchParams => {
  const at = url.indexOf('?')
  return at < 0 ? NO_PARAMETERS : new URLSearchParams(url.slice(at))
}

const SIGNATURE = ['sign', 'signAt']
const NO_PARAMETERS = new URLSearchParams()
