import { z } from 'zod'
import { isReservedVariable } from '../../lib/jobs/environment.ts'
import { message } from '../http/text.ts'
import { MOST_FAULTS } from '../http/validate.ts'
import { cString, fits, LONGEST_ARGUMENT_BYTES, TOO_LONG } from './c-string.ts'

/** The kernel takes many more, but each costs time to check. */
const MOST_VARIABLES = 1000

/** Variables by name, for a job's environment. */
export const environmentSchema = z
  .custom<Record<string, string>>(
    value => typeof value === 'object' && value !== null && !Array.isArray(value),
    {
      error: message('应为 object', 'must be object'),
    },
  )
  .superRefine((env, context) => {
    const names = Object.keys(env)
    if (names.length > MOST_VARIABLES) {
      return void context.addIssue({
        code: 'custom',
        message: message(
          `不能超过 ${MOST_VARIABLES} 项`,
          `must not have more than ${MOST_VARIABLES} variables`,
        ),
      })
    }
    let faults = 0
    for (const name of names) {
      const problem = environmentProblem(name, env[name])
      if (!problem) continue
      context.addIssue({ code: 'custom', path: [name], message: problem })
      if (++faults === MOST_FAULTS) return
    }
  })
  .meta({
    description:
      "Variables to add to the job's environment. Each fits into the longest argument that the system takes, as `name=value`.",
    override: {
      type: 'object',
      maxProperties: MOST_VARIABLES,
      propertyNames: { pattern: '^(?!(AGENT|NEWDT_AUTO)_)[^=\\u0000]+$' },
      additionalProperties: { type: 'string', maxLength: LONGEST_ARGUMENT_BYTES },
    },
    examples: [{ TZ: 'Asia/Shanghai' }],
  })

const environmentProblem = (name: string, value: unknown): string | undefined => {
  if (name === '' || !cString.safeParse(name).success || name.includes('='))
    return message('不是合法的变量名', 'is no name of a variable')
  if (isReservedVariable(name)) return message('是保留的变量名', 'is a reserved name')
  if (!cString.safeParse(value).success)
    return message(
      `应为 string，不含 NUL 字符，不超过 ${LONGEST_ARGUMENT_BYTES} 字节`,
      `must be string, without NUL characters, of at most ${LONGEST_ARGUMENT_BYTES} bytes`,
    )
  return fits(`${name}=${value}`) ? undefined : message(TOO_LONG.zh, TOO_LONG.en)
}
