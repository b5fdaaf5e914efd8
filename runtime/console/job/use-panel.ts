import { h } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import type { Job } from '../../../lib/client/client.ts'
import { Curve } from '../curve.ts'
import type { CurveSeries } from '../curve-options.ts'
import { html } from '../html.ts'
import type { Session } from '../session.ts'
import { sizeText } from '../size.ts'
import type { FollowedJob } from './follow-job.ts'
import { extremesOf } from './job-use.ts'
import { ProcessTable } from './process-table.ts'
import { words } from './use-words.ts'
import { createUseWatch, type UseWatch } from './watch-use.ts'

export interface UsePanelProps {
  session: Session
  followed: FollowedJob
  job: Job
}

/** The processes of a job that runs, and what they use since the page was opened; the curves stay when it has ended. */
export const UsePanel = ({ session, followed, job: { state, limits } }: UsePanelProps) => {
  const watch = useMemo(() => createUseWatch(session, followed), [session, followed])
  const isRunning = state === 'running'
  useEffect(() => (isRunning ? watch.follow() : undefined), [watch, isRunning])
  const processes = watch.processes.value
  if (!isRunning && watch.samples.value.length < 2) return null
  return html`<section class="use-panel" aria-labelledby="use-title">
    <h2 id="use-title">${words.use}</h2>
    ${h(Curves, { watch, limits, isRunning })}
    ${isRunning && processes ? h(ProcessTable, { processes }) : null}
  </section>`
}

interface CurvesProps {
  watch: UseWatch
  limits: Job['limits']
  isRunning: boolean
}

const Curves = ({ watch, limits, isRunning }: CurvesProps) => {
  const samples = watch.samples.value
  // A curve of one point is none.
  if (samples.length < 2) return null
  const times = samples.map(({ at }) => at)
  const { cpuShare, peakShare, memory, peakMemory } = extremesOf(samples)
  const cpu: CurveSeries = {
    label: words.cpuSeries,
    values: samples.map(({ cpuShare }) => cpuShare),
    color: '--running',
    as: 'line',
  }
  const inUse: CurveSeries = {
    label: isRunning ? words.memorySeries : words.memoryWasUsed,
    values: samples.map(({ memory }) => memory),
    color: '--accent',
    as: 'line',
  }
  return html`<div class="curves">
    ${h(Curve, {
      title: words.cpuTitle,
      summary: isRunning
        ? words.cpuSummary(percent(cpuShare ?? 0), percent(peakShare))
        : words.cpuWas(percent(peakShare)),
      times,
      series: [cpu, ...limitSeries(limits.cpus, times)],
      unit: 'share',
      top: 1,
    })}
    ${h(Curve, {
      title: words.memoryTitle,
      summary: isRunning
        ? words.memorySummary(sizeText(memory), sizeText(peakMemory))
        : words.memoryWas(sizeText(peakMemory)),
      times,
      series: [inUse, ...limitSeries(limits.memory, times)],
      unit: 'bytes',
    })}
  </div>`
}

const limitSeries = (limit: number | undefined, times: readonly number[]): CurveSeries[] =>
  limit === undefined
    ? []
    : [{ label: words.limit, values: times.map(() => limit), color: '--warn', as: 'limit' }]

const percent = (share: number): string => `${Math.round(share * 100)}%`
