import type { ListedJob } from '../../../lib/client/client.ts'
import { type JobFilter, listOf } from './filter.ts'

export type MatchedJob = Pick<
  ListedJob,
  'id' | 'state' | 'labels' | 'caller' | 'cmd' | 'params' | 'scriptName' | 'cmdTruncated' | 'paramsTruncated'
>

/** `unseen`: the text may be in what a list leaves out of a long command. */
export type Match = 'yes' | 'no' | 'unseen'

/** Whether the agent would list the job, by a filter that it takes. `now` is that of the agent, in milliseconds. */
export const matchOf = (filter: JobFilter, job: MatchedJob, now: number): Match => {
  let match: Match = 'yes'
  for (const [name, matcher] of MATCHERS) {
    if (filter[name] === '') continue
    const one = matcher(filter[name], job, now)
    if (one === 'no') return 'no'
    if (one === 'unseen') match = one
  }
  return match
}

type Matcher = (asked: string, job: MatchedJob, now: number) => Match

const yesIf = (isMatch: boolean): Match => (isMatch ? 'yes' : 'no')

const MATCHERS = Object.entries({
  state: (states, { state }) => yesIf(listOf(states).includes(state)),
  label: (labels, job) => yesIf(listOf(labels).every(label => hasLabel(job, label))),
  caller: (asked, { caller }) => yesIf(asked === caller),
  since: (time, { id }, now) => yesIf(createdMs(id) >= instantOf(time, now)),
  until: (time, { id }, now) => yesIf(createdMs(id) < instantOf(time, now)),
  q(text, job) {
    if (hasText(job, text)) return 'yes'
    return job.cmdTruncated || job.paramsTruncated ? 'unseen' : 'no'
  },
} satisfies Record<keyof JobFilter, Matcher>) as [keyof JobFilter, Matcher][]

/** When the job was created: ids begin with it. Lists go by that. */
export const createdMs = (id: string): number => Number.parseInt(id.slice(0, 12), 16)

/** A time as a query has it, whole milliseconds: so long before `now`, or RFC 3339; NaN for what is neither. */
const instantOf = (text: string, now: number): number => {
  const [, amount, unit] = DURATION.exec(text) ?? []
  if (unit !== undefined) return Math.max(0, Math.floor(now - Number(amount) * UNITS[unit]!))
  return RFC_3339.test(text) ? Date.parse(text.replace(' ', '+')) : Number.NaN
}

/** It moves on as time goes by. */
export const isRelative = (time: string): boolean => DURATION.test(time)

const DURATION = /^(\d{1,9}(?:\.\d{1,9})?) ?(ms|s|m|h|d|w)$/
const UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[-+ ]\d\d:\d\d)$/

const hasLabel = ({ labels }: MatchedJob, label: string): boolean => {
  const at = label.indexOf('=')
  const name = label.slice(0, at)
  return at > 0 && Object.hasOwn(labels, name) && labels[name] === label.slice(at + 1)
}

const hasText = ({ cmd, params, scriptName }: MatchedJob, text: string): boolean => {
  const wanted = lowerCase(text)
  return [cmd, params, scriptName].some(field => lowerCase(field).includes(wanted))
}

/** Of ASCII letters alone, as SQLite's LIKE has it. */
const lowerCase = (text: string): string => text.replace(/[A-Z]/g, letter => letter.toLowerCase())
