import type { ReadonlySignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { html } from '../html.ts'
import type { StreamName } from './output.ts'
import { createRowCache } from './row-cache.ts'
import { createScroller, type Scroller } from './scroller.ts'
import { createShownRows, type ShownRows } from './shown-rows.ts'
import type { View } from './view.ts'
import { words } from './words.ts'

/** The rows that are seen, of as many as there are. */
export const RowList = ({ view, frame }: { view: View; frame: ReadonlySignal<number> }) => {
  const scroller = useMemo(() => createScroller(view), [view])
  const elements = useElements(scroller)
  const shown = view.shown.value
  const rows = useMemo(() => createShownRows(view.output, shown), [view, shown])
  const cache = useMemo(() => createRowCache(view), [view])
  useConversion(scroller, rows)
  for (const change of [frame, scroller.version, view.isFollowing, view.isWrapped]) void change.value

  const { first, end } = scroller.rangeOf(rows.length)
  const drawn = Array.from({ length: end - first }, (_, index) => cache.draw(rows.at(first + index)))
  cache.end()
  useLayoutEffect(() => {
    const layout = scroller.settle()
    if (layout) view.onTopRow(rows.rowAt(layout.first))
  })
  useTarget(scroller, view, rows)
  useFollowed(elements.scroller, view)

  return html`<div
    class=${view.isWrapped.value ? 'output-list output-wrapped' : 'output-list'}
    ref=${elements.scroller}
    role="region"
    aria-label=${words.rows}
    tabindex="0"
    onScroll=${scroller.onScroll}
    onWheel=${scroller.onWheel}
    onKeyDown=${scroller.onKeyDown}
  >
    <div ref=${elements.spacer}>
      <div class="output-layer" ref=${elements.layer}>
        <div class="output-rows" ref=${elements.rows}>
          ${drawn}
        </div>
        ${rows.length === 0 && shown !== 'both' ? nothingOn(shown, view) : null}
      </div>
    </div>
  </div>`
}

const nothingOn = (stream: StreamName, { output }: View) => {
  const name = words[stream]
  return html`<p class="output-nothing quiet">${output.hasEnded.value ? words.nothing(name) : words.nothingYet(name)}</p>`
}

const useElements = (scroller: Scroller) => {
  const elements = {
    scroller: useRef<HTMLElement>(null),
    spacer: useRef<HTMLElement>(null),
    layer: useRef<HTMLElement>(null),
    rows: useRef<HTMLElement>(null),
  }
  useLayoutEffect(
    () =>
      scroller.attach({
        scroller: elements.scroller.current!,
        spacer: elements.spacer.current!,
        layer: elements.layer.current!,
        rows: elements.rows.current!,
      }),
    [scroller],
  )
  return elements
}

/** Goes where the view wants to, once; not again when the rows are taken into the page anew. */
const useTarget = (scroller: Scroller, view: View, rows: ShownRows): void => {
  const target = view.target.value
  const reached = useRef(target)
  useLayoutEffect(() => {
    if (target && reached.current !== target) scroller.show(rows.placeOf(target.row))
    reached.current = target
  }, [target])
}

/** The page may have to be scrolled too, for the end to be seen. */
const useFollowed = (scroller: RefObject<HTMLElement | null>, view: View): void => {
  const followed = view.followed.value
  const done = useRef(followed)
  useLayoutEffect(() => {
    if (done.current !== followed) scroller.current?.scrollIntoView({ block: 'nearest' })
    done.current = followed
  }, [followed])
}

/** When other streams are shown, one stays where one was. */
const useConversion = (scroller: Scroller, rows: ShownRows): void => {
  const last = useRef(rows)
  if (last.current === rows) return
  const before = last.current
  last.current = rows
  scroller.convert(place => rows.placeOf(before.rowAt(place)))
}
