import type { ZodType } from 'zod'
import { nearest } from '../../lib/base/nearest.ts'
import { refusal } from './refusal.ts'
import { listed, type Text } from './text.ts'
import { MOST_FAULTS, shorten, validate } from './validate.ts'

/** The query in the schema's shape; a parameter that is repeated is a fault. Throws AgentError 400. */
export const validateQuery = <T>(schema: ZodType<T> & { shape: object }, url: string): T => {
  const parameters = queryOf(url)
  const values: Record<string, string> = {}
  for (const name of Object.keys(schema.shape)) {
    const [value, ...more] = parameters.getAll(name)
    if (more.length > 0)
      throw refusal('invalid-request', { detail: { zh: `${name} 重复`, en: `${name} is repeated` } })
    if (value !== undefined) values[name] = value
  }
  return validate(schema, values)
}

/** Throws AgentError 400 that names parameters of the query that are not known, with what may have been meant. */
export const refuseUnknownParameters = (url: string, known: readonly string[]): void => {
  const faults = new Map<string, Text>()
  for (const name of queryOf(url).keys()) {
    if (SIGNATURE.includes(name) || known.includes(name)) continue
    const meant = nearest(shorten(name), known)
    faults.set(name, unknownParameter(shorten(name), meant))
    if (faults.size === MOST_FAULTS) break
  }
  if (faults.size > 0) throw refusal('invalid-request', { detail: listed([...faults.values()]) })
}

const unknownParameter = (name: string, meant: string | undefined): Text => ({
  zh: `未知参数 ${name}${meant === undefined ? '' : `（是否为 ${meant}？）`}`,
  en: `unknown parameter ${name}${meant === undefined ? '' : ` (is ${meant} meant?)`}`,
})

/** The parameters of an absolute URL without a fragment, as requests have them; parsing all of it costs more. */
export const queryOf = (url: string): URLSearchParams => {
  const at = url.indexOf('?')
  return at < 0 ? NO_PARAMETERS : new URLSearchParams(url.slice(at))
}

const SIGNATURE = ['sign', 'signAt']
const NO_PARAMETERS = new URLSearchParams()
