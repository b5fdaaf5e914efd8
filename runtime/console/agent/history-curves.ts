import type { AgentHistory } from '../../../lib/client/client.ts'
import { type CurveProps, type CurveSeries, type CurveUnit, valueText } from '../curve-options.ts'
import { words } from './words.ts'

type Sample = AgentHistory['samples'][number]

/** What is drawn of the last hour; there is at least one sample. */
export const curvesOf = (
  { samples }: AgentHistory,
  { limit, cpus }: { limit: number; cpus: number | undefined },
): CurveProps[] => {
  const { running, load, cpu, memory } = words.curves
  const to = Date.parse(samples.at(-1)!.time)
  const curves = [
    curveOf(samples, {
      ...running,
      unit: 'count',
      read: sample => sample.running,
      color: '--running',
      bound: limit,
    }),
    endingsOf(samples),
    curveOf(samples, { ...load, unit: 'number', read: sample => sample.load, bound: cpus }),
    curveOf(samples, { ...cpu, unit: 'share', read: sample => sample.cpu, top: 0.1 }),
    curveOf(samples, { ...memory, unit: 'bytes', read: sample => sample.residentBytes }),
  ]
  return curves.map(curve => ({ ...curve, span: [to - HOUR_MS, to] }))
}

interface CurveOptions {
  title: string
  label: string
  unit: CurveUnit
  read(sample: Sample): number
  color?: CurveSeries['color']
  /** Drawn as a line of its own. */
  bound?: number | undefined
  boundLabel?: string
  top?: number
}

const curveOf = (samples: readonly Sample[], options: CurveOptions): CurveProps => {
  const { title, label, unit, read, color = '--accent', bound, boundLabel = '', top } = options
  const values = samples.map(read)
  const text = (value: number): string => valueText(value, unit)
  const summary = words.nowAndMost(text(values.at(-1) ?? 0), text(Math.max(0, ...values)))
  const line: CurveSeries = { label, values, color, as: 'line' }
  const times = samples.map(({ time }) => Date.parse(time))
  if (bound === undefined) return { title, summary, unit, times, series: [line], top }
  const limit: CurveSeries = {
    label: boundLabel,
    values: values.map(() => bound),
    color: '--quiet',
    as: 'limit',
  }
  return {
    title,
    summary: `${summary} ${words.boundIs(boundLabel, text(bound))}`,
    unit,
    times,
    series: [line, limit],
    top,
  }
}

/** Of each minute. The agent counts more finely than a narrow window has room for. */
const endingsOf = (samples: readonly Sample[]): CurveProps => {
  const minutes = Map.groupBy(samples, ({ time }) => Math.floor(Date.parse(time) / MINUTE_MS))
  // Also those in which the agent could not count, because the host slept.
  const first = Math.min(...minutes.keys())
  const count = Math.max(...minutes.keys()) - first + 1
  const all = Array.from({ length: count }, (_, index) => minutes.get(first + index) ?? [])
  const sums = (read: (sample: Sample) => number): number[] =>
    all.map(samples => samples.reduce((sum, sample) => sum + read(sample), 0))
  const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0)

  const well = sums(({ ended, failed }) => ended - failed)
  const failed = sums(sample => sample.failed)
  const rejected = sums(sample => sample.rejected)
  const { title, ...labels } = words.endings
  return {
    title,
    summary: words.endedSummary(total(well) + total(failed), total(failed), total(rejected)),
    unit: 'count',
    times: all.map((_, index) => (first + index + 0.5) * MINUTE_MS),
    series: [
      { label: labels.well, values: well, color: '--good', as: 'bars' },
      { label: labels.failed, values: failed, color: '--bad', as: 'bars' },
      { label: labels.rejected, values: rejected, color: '--warn', as: 'bars' },
    ],
    top: 1,
  }
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
