import type { ZodType } from 'zod'
import type { $ZodIssue, $ZodRawIssue } from 'zod/v4/core'
import { refusal } from './refusal.ts'

/** The value in the schema's shape; throws AgentError 400 that names the fields that are wrong, at most ten. */
export const validate = <T>(schema: ZodType<T>, value: unknown): T => {
  const result = schema.safeParse(value, { error: describe })
  if (result.success) return result.data
  const faults = result.error.issues.slice(0, MOST_FAULTS).map(detailOf)
  throw refusal('invalid-request', { detail: [...new Set(faults)].join('；') })
}

const detailOf = (issue: $ZodIssue): string => {
  const field = [...issue.path, ''].join('.').slice(0, -1)
  return field === '' ? issue.message : `${shorten(field)} ${issue.message}`
}

/** What zod finds by itself, in Chinese; a schema's own messages come first. */
const describe = (issue: $ZodRawIssue): string => {
  if (issue.code === 'unrecognized_keys')
    return `未知字段 ${(issue.keys as string[]).slice(0, MOST_FAULTS).map(shorten).join('、')}`
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return '缺失'
    return `应为 ${issue.expected}`
  }
  if (issue.code === 'invalid_value') return `应为 ${(issue.values as unknown[]).join(' 或 ')}`
  return '无效'
}

export const shorten = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text)

/** How many faults a client is told of in one answer. */
export const MOST_FAULTS = 10
