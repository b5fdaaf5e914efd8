import { z } from 'zod'
import { message } from '../http/text.ts'

/** A lone surrogate would become U+FFFD on its way to the job; nothing is changed silently. */
export const unicode = z
  .string()
  .refine(text => text.isWellFormed(), message('含有不成对的 Unicode 代理项', 'has a lone Unicode surrogate'))

/** 128 KiB with its NUL: Linux takes no longer argument (MAX_ARG_STRLEN, execve(2)). */
export const LONGEST_ARGUMENT_BYTES = 128 * 1024 - 1

export const fits = (text: string): boolean => Buffer.byteLength(text) <= LONGEST_ARGUMENT_BYTES

export const TOO_LONG = {
  zh: `不能超过 ${LONGEST_ARGUMENT_BYTES} 字节`,
  en: `must not be more than ${LONGEST_ARGUMENT_BYTES} bytes`,
}

/** What is handed to the system as a C string. */
export const cString = unicode
  .refine(text => !text.includes('\0'), message('不能含有 NUL 字符', 'must not have a NUL character'))
  .refine(fits, message(TOO_LONG.zh, TOO_LONG.en))
  .meta({ pattern: '^[^\\u0000]*$', maxLength: LONGEST_ARGUMENT_BYTES })
