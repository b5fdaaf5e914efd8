import { h } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { html } from '../html.ts'
import { useFrames } from './frames.ts'
import type { Output } from './output.ts'
import { RowList } from './row-list.ts'
import { Status } from './status.ts'
import { Toolbar } from './toolbar.ts'
import { createView, type View } from './view.ts'

export interface OutputViewProps {
  output: Output
  /** Of the same output; a page that does not use it need not make one. */
  view?: View
}

/** What a job has written: its tools, its rows, and how many they are. */
export const OutputView = ({ output, view: given }: OutputViewProps) => {
  const view = useMemo(() => given ?? createView(output), [output, given])
  const frame = useFrames(output.version, view.search.version)
  useEffect(() => view.search.keepLooking(), [view])
  return html`<section class="output">
    ${h(Toolbar, { view, frame })} ${h(RowList, { view, frame })} ${h(Status, { view, frame })}
  </section>`
}
