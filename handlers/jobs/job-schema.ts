import { z } from 'zod'
import { LONGEST_TIMER_MS, parseDuration } from '../../lib/base/duration.ts'
import { parseSize } from '../../lib/base/size.ts'
import { isReservedVariable } from '../../lib/jobs/environment.ts'
import type { JobRequest } from '../../lib/jobs/job.ts'
import { commandLine } from '../../lib/jobs/program.ts'
import { isScriptName } from '../../lib/jobs/script-file.ts'
import { splitWords } from '../../lib/jobs/shell-words.ts'
import { canonicalEncoding } from '../../lib/output/text.ts'
import { message } from '../http/text.ts'
import { MOST_FAULTS } from '../http/validate.ts'
import { labelsSchema } from './label.ts'

/** A lone surrogate would become U+FFFD on its way to the job; nothing is changed silently. */
const unicode = z
  .string()
  .refine(text => text.isWellFormed(), message('含有不成对的 Unicode 代理项', 'has a lone Unicode surrogate'))

/** 128 KiB with its NUL: Linux takes no longer argument (MAX_ARG_STRLEN, execve(2)). */
const LONGEST_ARGUMENT_BYTES = 128 * 1024 - 1

const fits = (text: string): boolean => Buffer.byteLength(text) <= LONGEST_ARGUMENT_BYTES

const TOO_LONG = {
  zh: `不能超过 ${LONGEST_ARGUMENT_BYTES} 字节`,
  en: `must not be more than ${LONGEST_ARGUMENT_BYTES} bytes`,
}

/** What is handed to the system as a C string. */
const cString = unicode
  .refine(text => !text.includes('\0'), message('不能含有 NUL 字符', 'must not have a NUL character'))
  .refine(fits, message(TOO_LONG.zh, TOO_LONG.en))

const environment = z
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

/** The kernel takes many more, but each costs time to check. */
const MOST_VARIABLES = 1000

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

const NOT_A_TIMEOUT = message(
  '应为大于 0、不超过 24d 的时长，例如 "30s"',
  'must be a duration above 0, at most 24d, such as "30s"',
)
const NOT_AN_ENCODING = message('不是已知的字符编码，例如 "gbk"', 'is no known encoding, such as "gbk"')
const NOT_A_NAME = message(
  '应为 1 到 100 个字母、数字、汉字或 . _ - 组成的文件名，且不能是 . 或 ..',
  'must be a file name of 1 to 100 letters, digits, CJK letters and . _ -, and not . or ..',
)

/** Any duration that a timer can wait for. */
const timeout = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0 && ms <= LONGEST_TIMER_MS) return { text, ms }
  context.addIssue({ code: 'custom', message: NOT_A_TIMEOUT })
  return z.NEVER
})

/** What TextDecoder knows. */
const encoding = z.string().transform((label, context) => {
  const name = canonicalEncoding(label)
  if (name !== undefined) return name
  context.addIssue({ code: 'custom', message: NOT_AN_ENCODING })
  return z.NEVER
})

const NOT_A_SIZE = message(
  '应为字节数或大小，例如 "1mb"',
  'must be a number of bytes, or a size such as "1mb"',
)

/** Bytes as a number, or a size such as "1mb". */
const outputLimit = z
  .union([z.int(NOT_A_SIZE).min(0, NOT_A_SIZE), z.string()], NOT_A_SIZE)
  .transform((size, context) => {
    const value = typeof size === 'number' ? size : parseSize(size)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: NOT_A_SIZE })
    return z.NEVER
  })

const common = {
  params: cString.default(''),
  async: z.boolean().default(false),
  cwd: cString
    .refine(path => path.startsWith('/'), message('应为绝对路径', 'must be an absolute path'))
    .optional(),
  env: environment.optional(),
  stdin: unicode.optional(),
  timeout: timeout.optional(),
  leftovers: z.enum(['keep', 'kill']).optional(),
  encoding: encoding.optional(),
  outputLimit: outputLimit.optional(),
  onOutputLimit: z.enum(['drop', 'kill']).optional(),
  labels: labelsSchema.optional(),
}

/** The body of POST /api/jobs/execute/cmd. */
export const commandSchema = z
  .strictObject({
    cmd: cString.refine(cmd => cmd !== '', message('不能为空', 'must not be empty')),
    ...common,
  })
  .refine(({ cmd, params }) => params === '' || fits(commandLine(cmd, params)), {
    path: ['params'],
    error: message(`和 cmd 一起${TOO_LONG.zh}`, `${TOO_LONG.en}, together with cmd`),
  })

/** The body of POST /api/jobs/execute/script; the contract has an empty `cmd` in it. */
export const scriptSchema = z
  .strictObject({
    cmd: z.literal('', message('在脚本任务中应为空', 'must be empty for a script')).optional(),
    scriptName: z.string().refine(isScriptName, NOT_A_NAME),
    scriptContent: unicode,
    scriptType: z.enum(['shell', 'python']),
    ...common,
  })
  .transform(({ scriptName, scriptContent, scriptType, ...rest }, context): JobRequest => {
    const words = splitWords(rest.params)
    if (!words)
      context.addIssue({
        code: 'custom',
        path: ['params'],
        message: message('引号或反斜杠没有配对', 'has a quote or a backslash without its match'),
      })
    const script = { name: scriptName, content: scriptContent, type: scriptType, words: words ?? [] }
    return { ...rest, cmd: '', script }
  })
