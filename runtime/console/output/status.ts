import { type ReadonlySignal, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { html } from '../html.ts'
import type { View } from './view.ts'
import { words } from './words.ts'

/** How many lines there are, and whether the end is followed while there is more to come. It is seen at once, and said now and then. */
export const Status = ({ view, frame }: { view: View; frame: ReadonlySignal<number> }) => {
  void frame.value
  const { output, isFollowing } = view
  const said = useSignal(0)
  useSignalEffect(() => {
    void isFollowing.value
    void output.hasEnded.value
    said.value = output.lines.peek()
  })
  useEffect(() => {
    const timer = setInterval(() => {
      said.value = output.lines.peek()
    }, SAY_MS)
    return () => clearInterval(timer)
  }, [output])
  const text = (lines: number) =>
    isFollowing.value && !output.hasEnded.value
      ? `${words.follows} · ${words.lines(lines)}`
      : words.lines(lines)
  return html`<div class="output-status quiet small">
    <span aria-hidden="true">${text(output.lines.value)}</span>
    <span class="unseen" role="status">${text(said.value)}</span>
  </div>`
}

const SAY_MS = 5000
