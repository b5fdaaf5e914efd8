import type { Job, JobProcess } from '../../../lib/client/client.ts'

/** One look at what a job uses. */
export interface Look {
  /** Milliseconds since 1970. */
  at: number
  processes: readonly JobProcess[]
  usage: Job['usage'] | undefined
}

/** What a job has used at one time; null for what is not known. */
export interface Sample {
  at: number
  /** Of one processor: 1.5 is one and a half of them. */
  cpuShare: number | null
  memory: number
}

export const sampleOf = (look: Look, before: Look | undefined): Sample => ({
  at: look.at,
  cpuShare: before ? shareSince(look, before) : null,
  memory: look.usage?.memory ?? sum(look.processes.map(({ residentBytes }) => residentBytes)),
})

/**
 * The larger of two numbers that can both be too small: the processes that lived at both looks say nothing of those that
 * came and went; the job's own number is, where it has no control group, a sum over those that live, which shrinks.
 */
const shareSince = (look: Look, before: Look): number | null => {
  const seconds = (look.at - before.at) / 1000
  if (seconds <= 0) return null
  const [now, then] = [look.usage?.cpu ?? undefined, before.usage?.cpu ?? undefined]
  const ofJob = now !== undefined && then !== undefined ? now - then : 0
  return Math.max(0, ofJob, ofProcesses(look, before)) / seconds
}

const ofProcesses = (look: Look, before: Look): number => {
  const then = new Map(before.processes.map(({ pid, cpu }) => [pid, cpu.user + cpu.system]))
  const spent = look.processes.map(({ pid, cpu }) => cpu.user + cpu.system - (then.get(pid) ?? Infinity))
  return sum(spent.filter(seconds => seconds > 0))
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** The samples with one more; the oldest go when there are too many to draw. */
export const withSample = (samples: readonly Sample[], sample: Sample): Sample[] => [
  ...samples.slice(-MOST_SAMPLES + 1),
  sample,
]

/** Two hours, at one in two seconds. */
export const MOST_SAMPLES = 3600

/** For those who do not see the curves. */
export const extremesOf = (samples: readonly Sample[]) => {
  const last = samples.at(-1)
  const shares = samples.flatMap(({ cpuShare }) => cpuShare ?? [])
  return {
    cpuShare: last?.cpuShare ?? undefined,
    // Not by spreading: an array can be longer than a call has arguments.
    peakShare: shares.reduce((most, share) => Math.max(most, share), 0),
    memory: last?.memory ?? 0,
    peakMemory: samples.reduce((most, { memory }) => Math.max(most, memory), 0),
  }
}
