import type { ZodType } from 'zod'
import type { $ZodIssue, $ZodRawIssue } from 'zod/v4/core'
import { errors } from '../../lib/base/errors.ts'

/** The value in the schema's shape; throws AgentError 400 that names every field that is wrong. */
export const validate = <T>(schema: ZodType<T>, value: unknown): T => {
  const result = schema.safeParse(value, { error: describe })
  if (result.success) return result.data
  const details = result.error.issues.slice(0, MOST_DETAILS).map(detailOf)
  throw errors.badRequest([...new Set(details)].join('；'))
}

/** The value of each known parameter of the query; one that is repeated is a mistake, an unknown one is not. */
export const validateQuery = <T>(schema: ZodType<T>, names: string[], url: string): T => {
  const parameters = queryOf(url)
  const values: Record<string, string> = {}
  for (const name of names) {
    const [value, ...more] = parameters.getAll(name)
    if (more.length > 0) throw errors.badRequest(`${name} 重复`)
    if (value !== undefined) values[name] = value
  }
  return validate(schema, values)
}

/** The parameters of an absolute URL without a fragment, as requests have them; parsing all of it costs more. */
export const queryOf = (url: string): URLSearchParams => {
  const at = url.indexOf('?')
  return at < 0 ? NO_PARAMETERS : new URLSearchParams(url.slice(at))
}

const NO_PARAMETERS = new URLSearchParams()

const detailOf = (issue: $ZodIssue): string => {
  const field = [...issue.path, ''].join('.').slice(0, -1)
  return field === '' ? issue.message : `${shorten(field)} ${issue.message}`
}

/** What zod finds by itself, in Chinese; a schema's own messages come first. */
const describe = (issue: $ZodRawIssue): string => {
  if (issue.code === 'unrecognized_keys')
    return `未知字段 ${(issue.keys as string[]).slice(0, MOST_DETAILS).map(shorten).join('、')}`
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return '缺失'
    return `应为 ${issue.expected}`
  }
  if (issue.code === 'invalid_value') return `应为 ${(issue.values as unknown[]).join(' 或 ')}`
  return '无效'
}

const shorten = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text)

const MOST_DETAILS = 10
