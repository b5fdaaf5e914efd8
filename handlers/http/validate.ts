import { type ZodType, z } from 'zod'
import type { $ZodIssue, $ZodRawIssue } from 'zod/v4/core'
import { nearest } from '../../lib/base/nearest.ts'
import { refusal } from './refusal.ts'
import { listed, message, type Text, textOf } from './text.ts'

/** The value in the schema's shape; throws AgentError 400 that names the fields that are wrong, at most ten. */
export const validate = <T>(schema: ZodType<T>, value: unknown): T => {
  const result = schema.safeParse(value, { error: describe })
  if (result.success) return result.data
  const faults = result.error.issues.slice(0, MOST_FAULTS).map(detailOf)
  throw refusal('invalid-request', { detail: listed(faults) })
}

const detailOf = (issue: $ZodIssue): Text => {
  const field = [...issue.path, ''].join('.').slice(0, -1)
  const { zh, en } = textOf(issue.message)
  if (field === '') return { zh, en }
  if (issue.code === 'unrecognized_keys')
    return { zh: `${shorten(field)}：${zh}`, en: `${shorten(field)}: ${en}` }
  return { zh: `${shorten(field)} ${zh}`, en: `${shorten(field)} ${en}` }
}

/** What zod finds by itself; a schema's own messages come first. */
const describe = (issue: $ZodRawIssue): string => {
  if (issue.code === 'unrecognized_keys')
    return unknownFields((issue.keys as string[]).slice(0, MOST_FAULTS).map(shorten), fieldsOf(issue.inst))
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return message('缺失', 'is missing')
    return message(`应为 ${issue.expected}`, `must be ${issue.expected}`)
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values as unknown[]
    return message(`应为 ${values.join(' 或 ')}`, `must be ${values.join(' or ')}`)
  }
  return message('无效', 'is not valid')
}

const unknownFields = (names: string[], known: string[]): string => {
  const meant = names.map(name => ({ name, known: nearest(name, known) }))
  const zh = meant.map(({ name, known }) => (known === undefined ? name : `${name}（是否为 ${known}？）`))
  const en = meant.map(({ name, known }) => (known === undefined ? name : `${name} (is ${known} meant?)`))
  return message(`未知字段 ${zh.join('、')}`, `unknown field ${en.join(', ')}`)
}

const fieldsOf = (schema: unknown): string[] =>
  schema instanceof z.ZodObject ? Object.keys(schema.shape) : []

export const shorten = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text)

/** How many faults a client is told of in one answer. */
export const MOST_FAULTS = 10
