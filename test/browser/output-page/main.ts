import { h, render } from 'preact'
import { html } from '../../../runtime/console/html.ts'
import { createOutput, type StreamName } from '../../../runtime/console/output/output.ts'
import { OutputView } from '../../../runtime/console/output/output-view.ts'
import { createView } from '../../../runtime/console/output/view.ts'

const output = createOutput()
const view = createView(output)
const encoder = new TextEncoder()

/** What a test does with the page. */
const outputPage = {
  output,
  view,
  async write(text: string, stream: StreamName = 'stdout'): Promise<void> {
    const bytes = encoder.encode(text)
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      const time = '2026-07-29T08:15:30.123456+02:00'
      const part = bytes.slice(start, start + CHUNK_BYTES)
      await output.feed({ type: stream, seq: 1, time, position: start, bytes: part })
    }
  },
  drop: (bytes: number | null): Promise<void> => output.feed({ type: 'dropped', bytes }),
}

const CHUNK_BYTES = 64 * 1024

export type OutputPage = typeof outputPage

Object.assign(globalThis, { outputPage })
render(html`<main><h1>Output</h1>${h(OutputView, { output, view })}</main>`, document.body)
