import { z } from 'zod'
import { message } from '../http/text.ts'

export const MOST_LABELS = 16

/** As a query writes it: `name=value`, without a character that has a meaning there. */
export const isLabel = (text: string): boolean => {
  const at = text.indexOf('=')
  return at >= 0 && NAME.test(text.slice(0, at)) && VALUE.test(text.slice(at + 1))
}

const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{N}._/-]{0,61}[\p{L}\p{N}])?$/u
const VALUE = /^[\p{L}\p{N}._/:@+-]{0,128}$/u

const NOT_LABELS = message(
  `应为最多 ${MOST_LABELS} 个标签：名称为 1 到 63 个字母、数字或 . _ / -，首尾是字母或数字；值最多 128 个字母、数字或 . _ / : @ + -`,
  `must be at most ${MOST_LABELS} labels: names of 1 to 63 letters, digits and . _ / -, with a letter or digit at both ends; values of at most 128 letters, digits and . _ / : @ + -`,
)

/** The labels of a submission, by name. */
export const labelsSchema = z
  .custom<Record<string, string>>(
    value =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.keys(value).length <= MOST_LABELS &&
      Object.entries(value).every(([name, text]) => typeof text === 'string' && isLabel(`${name}=${text}`)),
    NOT_LABELS,
  )
  .meta({
    description: 'Names and values that lists can ask for.',
    override: {
      type: 'object',
      maxProperties: MOST_LABELS,
      propertyNames: { pattern: NAME.source },
      additionalProperties: { type: 'string', pattern: VALUE.source },
    },
    examples: [{ env: 'prod' }],
  })
