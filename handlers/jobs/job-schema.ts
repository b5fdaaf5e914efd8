import { z } from 'zod'
import { LONGEST_TIMER_MS, parseDuration } from '../../lib/base/duration.ts'
import type { JobRequest } from '../../lib/jobs/job.ts'
import { commandLine } from '../../lib/jobs/program.ts'
import { isScriptName } from '../../lib/jobs/script-file.ts'
import { splitWords } from '../../lib/jobs/shell-words.ts'
import { canonicalEncoding } from '../../lib/output/text.ts'
import { durationText } from '../http/duration-schema.ts'
import { message } from '../http/text.ts'
import { cString, fits, TOO_LONG, unicode } from './c-string.ts'
import { environmentSchema } from './environment-schema.ts'
import { labelsSchema } from './label.ts'
import { limitsSchema } from './limits-schema.ts'
import { notifySchema } from './notify-schema.ts'
import { NOT_A_SIZE, sizeInBytes } from './size-schema.ts'
import { userSchema } from './user-schema.ts'

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
const timeout = durationText.transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0 && ms <= LONGEST_TIMER_MS) return { text, ms }
  context.addIssue({ code: 'custom', message: NOT_A_TIMEOUT })
  return z.NEVER
})

/** What TextDecoder knows. */
const encoding = z
  .string()
  .meta({ examples: ['gbk'] })
  .transform((label, context) => {
    const name = canonicalEncoding(label)
    if (name !== undefined) return name
    context.addIssue({ code: 'custom', message: NOT_AN_ENCODING })
    return z.NEVER
  })

/** Bytes as a number, or a size such as "1mb". */
const outputLimit = sizeInBytes(0, NOT_A_SIZE)

const common = {
  params: cString.default('').meta({
    description:
      'Appended to a command after a space; for a script split into arguments as a shell treats quotes and backslashes, nothing expanded.',
    examples: ['a "b c"'],
  }),
  async: z.boolean().default(false).meta({
    description: 'Answer as soon as the job runs, not when it has ended.',
  }),
  cwd: cString
    .refine(path => path.startsWith('/'), message('应为绝对路径', 'must be an absolute path'))
    .meta({
      description: "Where it runs, an absolute path; the agent's own directory when absent.",
      pattern: '^/',
      examples: ['/var/tmp'],
    })
    .optional(),
  env: environmentSchema.optional(),
  stdin: unicode
    .meta({ description: 'What it reads on its standard input; end of file at once when absent.' })
    .optional(),
  timeout: timeout
    .meta({ description: 'After this time, above 0 and at most 24d, it is stopped as by cancel.' })
    .optional(),
  leftovers: z
    .enum(['keep', 'kill'])
    .meta({
      description:
        "What happens to processes that still live when the job's own has ended by itself; `keep` when absent.",
    })
    .optional(),
  encoding: encoding
    .meta({
      description:
        'Of its output, for JSON and events, as the WHATWG Encoding Standard names it; UTF-8 when absent.',
    })
    .optional(),
  outputLimit: outputLimit
    .meta({
      description:
        "How much of its output is kept: bytes, or a size; at most the agent's own limit, the default.",
    })
    .optional(),
  onOutputLimit: z
    .enum(['drop', 'kill'])
    .meta({ description: 'What happens when it writes more than that; `drop` when absent.' })
    .optional(),
  labels: labelsSchema.optional(),
  user: userSchema.optional(),
  limits: limitsSchema.optional(),
  noNewPrivileges: z
    .boolean()
    .meta({
      description:
        'No program that it executes gives it more rights than it has: neither setuid nor file capabilities.',
    })
    .optional(),
  notify: notifySchema.optional(),
}

/** The body of POST /api/jobs/execute/cmd. */
export const commandSchema = z
  .strictObject({
    cmd: cString
      .refine(cmd => cmd !== '', message('不能为空', 'must not be empty'))
      .meta({ description: 'The command, for bash.', minLength: 1, examples: ['df -h'] }),
    ...common,
  })
  .refine(({ cmd, params }) => params === '' || fits(commandLine(cmd, params)), {
    path: ['params'],
    error: message(`和 cmd 一起${TOO_LONG.zh}`, `${TOO_LONG.en}, together with cmd`),
  })
  .meta({ id: 'CommandRequest', description: 'A command that is to be run.' })

/** The body of POST /api/jobs/execute/script; the contract has an empty `cmd` in it. */
export const scriptSchema = z
  .strictObject({
    cmd: z.literal('', message('在脚本任务中应为空', 'must be empty for a script')).optional(),
    scriptName: z
      .string()
      .refine(isScriptName, NOT_A_NAME)
      .meta({
        description: 'Letters, digits, CJK letters and . _ -, and not . or ..',
        minLength: 1,
        maxLength: 100,
        examples: ['backup.sh'],
      }),
    scriptContent: unicode.meta({ description: 'The script.', examples: ['echo "$1"'] }),
    scriptType: z.enum(['shell', 'python']).meta({ description: 'bash, or python3.' }),
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
  .meta({ id: 'ScriptRequest', description: 'A script that is to be run.' })
