import { useSignal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import {
  type CurveProps,
  type CurveSeries,
  HEIGHT,
  type PlotProps,
  plotData,
  plotOptions,
  timeOfDay,
  valueText,
} from './curve-options.ts'
import { html } from './html.ts'

/** Values over time, with those of the moment that one points at, else the last ones. */
export const Curve = (props: CurveProps) => {
  const { title, summary, series, times } = props
  const id = useId()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const latest = useRef<PlotProps>(props)
  latest.current = props
  const pointedAt = useSignal<number | undefined>(undefined)
  const shape = JSON.stringify([props.unit, props.top, series.map(({ color, as }) => [color, as])])

  useEffect(() => {
    const element = place.current!
    const gone = new AbortController()
    void draw(element, latest, gone.signal, index => {
      pointedAt.value = index
    }).then(drawn => {
      plot.current = drawn
    })
    return () => {
      gone.abort()
      plot.current = undefined
    }
  }, [shape])
  useEffect(() => plot.current?.setData(plotData(props)), [times, series])

  const at = pointedAt.value
  const shown = at !== undefined && at < times.length ? at : times.length - 1
  return html`<figure class="curve" aria-labelledby=${id}>
    <figcaption>
      <b id=${id}>${title}</b><span class="unseen"> ${summary}</span>
      <span class="quiet small curve-moment" aria-hidden="true">${at === undefined ? '' : momentText(props, shown)}</span>
    </figcaption>
    <div class="curve-plot" ref=${place} aria-hidden="true"></div>
    <ul class="curve-legend small" aria-hidden="true">${series.map(one => legendOf(one, shown, props))}</ul>
  </figure>`
}

const momentText = ({ times, timeText = timeOfDay }: PlotProps, index: number): string =>
  times[index] === undefined ? '' : timeText(times[index], 0)

const legendOf = ({ label, values, color, as }: CurveSeries, index: number, { unit }: PlotProps) => {
  const value = values[index]
  return html`<li><span class="curve-key ${as}" style=${{ color: `var(${color})` }}></span>${label}
    <span class="curve-value">${value === undefined || value === null ? '–' : valueText(value, unit)}</span></li>`
}

/** Follows the width of its place and the colours of the page until the signal is aborted. */
const draw = async (
  place: HTMLElement,
  latest: { readonly current: PlotProps },
  gone: AbortSignal,
  onPointed: (index: number | undefined) => void,
): Promise<uPlot | undefined> => {
  // Only pages with curves load it.
  const { default: Plot } = await import('uplot/dist/uPlot.esm.js')
  if (gone.aborted) return undefined
  const style = getComputedStyle(place)
  const options = plotOptions(latest, {
    width: place.clientWidth,
    font: `12px ${style.fontFamily}`,
    colorOf: name => style.getPropertyValue(name),
    bars: Plot.paths.bars!({ size: [0.7, 24] }),
  })
  const onCursor = ({ cursor }: uPlot): void => onPointed(cursor.idx ?? undefined)
  const plot = new Plot({ ...options, hooks: { setCursor: [onCursor] } }, plotData(latest.current), place)

  const observer = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }))
  observer.observe(place)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot.redraw(), { signal: gone })
  gone.addEventListener('abort', () => {
    observer.disconnect()
    plot.destroy()
  })
  return plot
}
