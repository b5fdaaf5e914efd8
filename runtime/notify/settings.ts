import { z } from 'zod'
import { NOTIFY_ON, type Notify, type NotifyOn } from '../../lib/jobs/job.ts'
import { callbackUrl } from '../../lib/notify/callback-url.ts'
import { type AddressList, parseAddresses } from '../../lib/security/address-list.ts'

/** Where callbacks may go. */
export interface NotifyAllow {
  /** As URL.origin has them; none where there are to be no callbacks. */
  origins: readonly string[]
  /** That may be called although they are this host's, or its link's. */
  addresses: AddressList
}

/** Origins, addresses and CIDR ranges, with commas between them. */
const allow = z.string().transform((text, context): NotifyAllow => {
  const items = text.split(',').map(item => item.trim())
  const origins = items.map(originOf)
  const { list: addresses, faults } = parseAddresses(items)
  for (const index of faults.filter(at => origins[at] === undefined))
    context.addIssue({
      code: 'custom',
      // By its place: somebody may have put a password into it.
      message: `item ${index + 1} is neither an origin such as https://ci.example.com, nor an address or CIDR range`,
    })
  return { origins: origins.filter(origin => origin !== undefined), addresses }
})

/** Undefined for a URL that has more than an origin, and for a pattern: it would be the host of that name alone. */
const originOf = (item: string): string | undefined => {
  const url = callbackUrl(item)
  return url?.href === `${url?.origin}/` && !url?.hostname.includes('*') ? url?.origin : undefined
}

const on = z.string().transform((text, context): readonly NotifyOn[] => {
  const items = text.split(',').map(item => item.trim()) as NotifyOn[]
  if (items.every(item => NOTIFY_ON.includes(item))) return [...new Set(items)]
  context.addIssue({
    code: 'custom',
    message: `must be of ${NOTIFY_ON.join(', ')}, with commas between them`,
  })
  return z.NEVER
})

const url = z.string().transform((text, context): string => {
  const parsed = callbackUrl(text)
  if (parsed) return parsed.href
  context.addIssue({
    code: 'custom',
    message: 'must be a URL such as https://ci.example.com/done, without a user',
  })
  return z.NEVER
})

/** Part of the agent's settings; see runtime/config.ts. */
export const notifySettings = {
  AGENT_NOTIFY_ALLOW: allow.optional(),
  AGENT_NOTIFY_URL: url.optional(),
  AGENT_NOTIFY_ON: on.optional(),
  AGENT_NOTIFY_SECRET_FILE: z.string().min(1, 'must not be empty').optional(),
}

type Values = z.output<z.ZodObject<typeof notifySettings>>

export interface NotifyConfig {
  allow: NotifyAllow
  /** Who is told of all jobs; undefined for nobody. */
  everyJob: Notify | undefined
  secretFile: string | undefined
}

export const notifyOf = (values: Values): NotifyConfig => {
  const { AGENT_NOTIFY_ALLOW, AGENT_NOTIFY_URL, AGENT_NOTIFY_ON = ['ended'] } = values
  return {
    allow: AGENT_NOTIFY_ALLOW ?? { origins: [], addresses: parseAddresses([]).list },
    everyJob: AGENT_NOTIFY_URL === undefined ? undefined : { url: AGENT_NOTIFY_URL, on: AGENT_NOTIFY_ON },
    secretFile: values.AGENT_NOTIFY_SECRET_FILE,
  }
}

/** What is wrong with them together, a line each. No line holds the URL: its query may be a secret. */
export const notifyMistakes = (
  { allow: { origins }, everyJob }: NotifyConfig,
  environment: NodeJS.ProcessEnv,
): string[] => {
  const mistakes: string[] = []
  if (environment.AGENT_NOTIFY_ALLOW !== undefined && origins.length === 0)
    mistakes.push(
      'AGENT_NOTIFY_ALLOW: without an origin such as https://ci.example.com there are no callbacks',
    )
  if (everyJob && !origins.includes(new URL(everyJob.url).origin))
    mistakes.push('AGENT_NOTIFY_URL: AGENT_NOTIFY_ALLOW does not have its origin')
  if (!everyJob && environment.AGENT_NOTIFY_ON !== undefined)
    mistakes.push('AGENT_NOTIFY_ON: without effect, for AGENT_NOTIFY_URL is not set')
  if (environment.AGENT_NOTIFY_SECRET_FILE !== undefined && origins.length === 0)
    mistakes.push('AGENT_NOTIFY_SECRET_FILE: without effect, for AGENT_NOTIFY_ALLOW has no origin')
  return mistakes
}
