import { z } from 'zod'
import { LONGEST_TIMER_MS, parseDuration } from '../lib/base/duration.ts'
import { parseSize, sizeText } from '../lib/base/size.ts'
import { isUser } from '../lib/base/user-name.ts'
import { parseLimit, parseLimits, rangeText } from '../lib/jobs/limits.ts'
import type { LimitName } from '../lib/process/types.ts'
import { parseAddresses } from '../lib/security/address-list.ts'

/*
 * How the text of a setting becomes its value, and what is said of one that is none.
 */

export const integer = (least: number, most: number) => {
  const message = `must be a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine(value => value >= least && value <= most, message)
}

export const port = z.string().transform((text, context) => {
  if (text === 'off') return 'off' as const
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  context.addIssue({ code: 'custom', message: 'must be a whole number from 0 to 65535, or off' })
  return z.NEVER
})

export const duration = (most = Number.MAX_SAFE_INTEGER) =>
  z.string().transform((text, context) => {
    const ms = parseDuration(text)
    if (ms !== undefined && ms <= most) return ms
    context.addIssue({ code: 'custom', message: `must be a duration such as 30s, 5m or 7d${upTo(most)}` })
    return z.NEVER
  })

const upTo = (most: number): string => (most === LONGEST_GRACE_MS ? ', at most 24d' : '')

/** A timer can wait for 24.8 days, and an end takes a little longer than the grace period. */
export const LONGEST_GRACE_MS = Math.min(24 * 24 * 3600_000, LONGEST_TIMER_MS)

export const size = (least: number, most: number) =>
  z.string().transform((text, context) => {
    const value = parseSize(text)
    if (value !== undefined && value >= least && value <= most) return value
    const range = `from ${sizeText(least)} to ${sizeText(most)}`
    context.addIssue({ code: 'custom', message: `must be a size such as 512mb, ${range}` })
    return z.NEVER
  })

export const notEmpty = z.string().min(1, 'must not be empty')

/** Items of a list that is written with commas; spaces around them do not matter. */
const list = (text: string): string[] => text.split(',').map(item => item.trim())

export const authorities = z.string().transform((text, context) => {
  const items = list(text)
  if (items.every(item => /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(item))) return items
  context.addIssue({
    code: 'custom',
    message: 'must be hosts such as db1.example.com or db1:8080, with commas between them',
  })
  return z.NEVER
})

/** `127.0.0.1:9464`, `[::1]:9464`. */
export const listenAddress = z.string().transform((text, context) => {
  const [, ipv6, host = ipv6, port] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? []
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) }
  context.addIssue({ code: 'custom', message: 'must be an address and a port, such as 127.0.0.1:9464' })
  return z.NEVER
})

export const addresses = z.string().transform((text, context) => {
  const items = list(text)
  const { list: addresses, faults } = parseAddresses(items)
  for (const index of faults)
    context.addIssue({ code: 'custom', message: `"${items[index]}" is no address and no CIDR range` })
  return addresses
})

export const users = z.string().transform((text, context) => {
  const items = list(text)
  if (items.every(isUser)) return items
  context.addIssue({
    code: 'custom',
    message: 'must be users such as deploy or deploy:www-data, with commas between them',
  })
  return z.NEVER
})

export const limits = (names?: readonly LimitName[]) =>
  z.string().transform((text, context) => {
    try {
      return parseLimits(text, names)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })

export const limit = (name: LimitName) =>
  z.string().transform((text, context) => {
    const value = parseLimit(name, text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `must be ${rangeText(name)}` })
    return z.NEVER
  })
