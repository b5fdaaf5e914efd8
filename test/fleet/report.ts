import { isLoss } from '../../lib/fleet/queue/changes.ts'
import { endedRun, type QueuedJob } from '../../lib/fleet/queue/queued-job.ts'
import type { Published } from './publish.ts'

export interface Report {
  published: number
  /** Jobs that have run to an end which the publisher has. */
  ended: number
  /** Those that must not run again, and were told as lost. */
  toldAsLost: number
  /** Those that were run again on another agent. */
  redelivered: number
  /** Of those: of which the record does not tell. */
  untold: number
  /** Runs of one job that one agent has begun more than once. */
  twice: number
  /** Of those that must not: that have run more than once. */
  onceTwice: number
  /** Without an end. */
  lost: string[]
  /** Ends that were told twice, in different words. */
  changed: number
  /** From the confirmation of the engine to the first line of the job, in milliseconds. */
  startMs: { p50: number; p99: number; most: number }
}

/** `runs` has a line for each run: the id, the host, and when it began. */
export const reportOf = (
  published: readonly Published[],
  ends: ReadonlyMap<string, QueuedJob>,
  runs: string,
  changed: number,
): Report => {
  const runsOf = new Map<string, { host: string; at: number }[]>()
  for (const line of runs.split('\n').filter(text => text !== '')) {
    const [id = '', host = '', at = ''] = line.split(' ')
    runsOf.set(id, [...(runsOf.get(id) ?? []), { host, at: Number(at) * 1000 }])
  }
  const report: Report = {
    published: published.length,
    ended: 0,
    toldAsLost: 0,
    redelivered: 0,
    untold: 0,
    twice: 0,
    onceTwice: 0,
    lost: [],
    changed,
    startMs: { p50: 0, p99: 0, most: 0 },
  }
  const waits: number[] = []
  for (const { id, once, at } of published) {
    const job = ends.get(id)
    const found = runsOf.get(id) ?? []
    const hosts = new Set(found.map(({ host }) => host))
    const end = job && endedRun(job)?.end
    if (end && !isLoss(end) && found.length > 0) report.ended++
    else if (once && job?.state === 'dead' && job.reason === 'lost') report.toldAsLost++
    else report.lost.push(`${id}: ${JSON.stringify(job)}`)
    report.twice += found.length - hosts.size
    if (once && found.length > 1) report.onceTwice++
    if (hosts.size > 1) {
      report.redelivered++
      const told = new Set(job?.runs.map(({ host }) => host))
      if ([...hosts].some(host => !told.has(host))) report.untold++
    }
    const [first] = found
    if (first) waits.push(Math.max(0, first.at - at))
  }
  waits.sort((a, b) => a - b)
  const at = (share: number): number =>
    Math.round((waits[Math.floor((waits.length - 1) * share)] ?? 0) * 10) / 10
  return { ...report, startMs: { p50: at(0.5), p99: at(0.99), most: at(1) } }
}
