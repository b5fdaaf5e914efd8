import type uPlot from 'uplot'
import { LOCALE } from './language.ts'
import { sizeText } from './size.ts'

/** What the values of a curve are; `share` is of one, and is written in percent. */
export type CurveUnit = 'count' | 'number' | 'bytes' | 'share'

export interface CurveSeries {
  label: string
  /** One for each time; null where there is none. */
  values: readonly (number | null)[]
  /** A custom property of the stylesheet, such as `--running`. */
  color: `--${string}`
  /** Bars stand upon each other, the first lowest. A limit is a dashed line. */
  as: 'line' | 'bars' | 'limit'
}

export interface PlotProps {
  /** Milliseconds since 1970, ascending. */
  times: readonly number[]
  series: readonly CurveSeries[]
  unit: CurveUnit
  /** The scale reaches up to this at least. */
  top?: number | undefined
  /** From when to when; as far as the times reach by default. */
  span?: readonly [from: number, to: number] | undefined
  /** How a time is written below the curve; by default the time of day. `stepMs` is the time between two of them. */
  timeText?: ((time: number, stepMs: number) => string) | undefined
}

export interface CurveProps extends PlotProps {
  /** What stands above it. */
  title: string
  /** What it shows, in a sentence or two, for those who do not see it. */
  summary: string
}

export const valueText = (value: number, unit: CurveUnit): string => {
  if (unit === 'bytes') return sizeText(value)
  return unit === 'share' ? PERCENT.format(value) : NUMBER.format(value)
}

const NUMBER = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 })
const PERCENT = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 1 })

export const timeOfDay = (time: number, stepMs: number): string =>
  (stepMs < 60_000 ? WITH_SECONDS : WITH_MINUTES).format(time)

const WITH_MINUTES = new Intl.DateTimeFormat(LOCALE, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const WITH_SECONDS = new Intl.DateTimeFormat(LOCALE, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

/** What uPlot draws: bars are sums, the highest first, so that lower ones are drawn over them. */
export const plotData = ({ times, series }: PlotProps): uPlot.AlignedData => {
  const drawn = inDrawnOrder(series).map(one => {
    if (one.as !== 'bars') return [...one.values]
    const bars = series.filter(({ as }) => as === 'bars')
    const below = bars.slice(0, bars.indexOf(one) + 1)
    return one.values.map((_, index) => below.reduce((sum, { values }) => sum + (values[index] ?? 0), 0))
  })
  return [[...times], ...drawn]
}

export interface PlotPlace {
  width: number
  font: string
  /** The colour that a custom property has now. */
  colorOf(name: string): string
  /** Draws bars; of uPlot, which is there only when something is drawn. */
  bars: uPlot.Series.PathBuilder
}

/** `latest` is asked anew whenever something is drawn. */
export const plotOptions = (
  latest: { readonly current: PlotProps },
  { width, font, colorOf, bars }: PlotPlace,
): uPlot.Options => {
  const { series, unit, top = 0, timeText = timeOfDay } = latest.current
  const line = { stroke: () => colorOf('--line'), width: 1 }
  const axis = { font, stroke: () => colorOf('--quiet'), grid: line, ticks: { ...line, size: 4 } }
  const steps = unit === 'count' ? { incrs: WHOLE_STEPS } : unit === 'bytes' ? { incrs: BYTE_STEPS } : {}
  return {
    width,
    height: HEIGHT,
    ms: 1,
    series: [{}, ...inDrawnOrder(series).map(one => drawnSeries(one, { colorOf, bars }))],
    scales: {
      x: { range: (_plot, from, to) => [...(latest.current.span ?? [from, to])] },
      y: { range: (_plot, _least, most) => [0, Math.max(top, most ?? 0) * 1.05 || 1] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 60,
        values: (_plot, times, _axis, _space, step) => times.map(t => timeText(t, step)),
      },
      { ...axis, ...steps, size: 62, space: 28, values: (_plot, all) => all.map(v => valueText(v, unit)) },
    ],
    padding: [8, 28, 0, 0],
    legend: { show: false },
    // All curves of a page show the same moment.
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false }, sync: { key: 'moment' } },
  }
}

export const HEIGHT = 150

const inDrawnOrder = (series: readonly CurveSeries[]): CurveSeries[] => [
  ...series.filter(({ as }) => as === 'bars').toReversed(),
  ...series.filter(({ as }) => as !== 'bars'),
]

const drawnSeries = (
  { color, as }: CurveSeries,
  { colorOf, bars }: Pick<PlotPlace, 'colorOf' | 'bars'>,
): uPlot.Series => {
  const stroke = () => colorOf(color)
  if (as === 'bars') return { fill: stroke, width: 0, points: { show: false }, paths: bars }
  if (as === 'limit') return { stroke, width: 1, dash: [4, 4], points: { show: false } }
  return { stroke, width: 1.75, points: { show: false } }
}

const POWERS = Array.from({ length: 16 }, (_, power) => 10 ** power)
const WHOLE_STEPS = POWERS.flatMap(power => [power, 2 * power, 5 * power])
const BYTE_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power)
