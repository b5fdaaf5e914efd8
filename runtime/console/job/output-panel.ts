import { useComputed, useSignal } from '@preact/signals'
import { h } from 'preact'
import type { Job, JobHandle } from '../../../lib/client/client.ts'
import { CopyButton } from '../copy-button.ts'
import { html } from '../html.ts'
import { OutputView } from '../output/output-view.ts'
import type { View } from '../output/view.ts'
import { words as outputWords } from '../output/words.ts'
import { sizeText } from '../size.ts'
import type { FollowedJob } from './follow-job.ts'
import { useOutputHeight } from './output-height.ts'
import { outputText } from './output-text.ts'
import { type Stream, saveOutput } from './save-output.ts'
import { words } from './words.ts'

export interface OutputPanelProps {
  followed: FollowedJob
  handle: JobHandle
  view: View
}

/** What the job writes, and ways to take it along. */
export const OutputPanel = ({ followed, handle, view }: OutputPanelProps) => {
  const isShort = useComputed(
    () => followed.job.value?.state !== 'running' && view.output.lines.value <= SHORT_LINES,
  )
  const hasWritten = useComputed(() => followed.writtenBytes.value > 0)
  const job = followed.job.value
  if (!job) return null
  const empty = job.state === 'running' ? words.nothingYet : words.nothingWritten
  return html`<section class=${isShort.value ? 'output-panel short' : 'output-panel'} aria-labelledby="output-title">
    <div class="panel-head"><h2 id="output-title">${words.output}</h2>
      ${hasWritten.value ? h(TakeAlong, { job, handle, view, writtenBytes: followed.writtenBytes }) : null}</div>
    <p class="small quiet told" role="status">${followed.isConnected.value ? '' : words.connectionLost}</p>
    ${hasWritten.value ? h(FittedOutput, { view }) : html`<p class="quiet">${empty}</p>`}
  </section>`
}

const FittedOutput = ({ view }: { view: View }) =>
  html`<div ref=${useOutputHeight()}>${h(OutputView, { output: view.output, view })}</div>`

interface TakeAlongProps {
  job: Job
  handle: JobHandle
  view: View
  writtenBytes: FollowedJob['writtenBytes']
}

const TakeAlong = ({ job, handle, view, writtenBytes }: TakeAlongProps) => {
  const fault = useSignal('')
  const busy = useSignal<Stream | undefined>(undefined)
  const save = async (stream: Stream): Promise<void> => {
    busy.value = stream
    fault.value = (await saveOutput(handle, stream)) ?? ''
    busy.value = undefined
  }
  const button = (stream: Stream, bytes: number | undefined) => {
    const name = stream === 'output' ? words.both : stream
    const size = bytes === undefined ? '' : ` (${sizeText(bytes)})`
    return html`<button type="button" onClick=${() => save(stream)} disabled=${bytes === 0 || busy.value !== undefined}
      aria-label=${words.downloadOf(name)} title=${words.downloadOf(name) + size}>${name}</button>`
  }
  const isRunning = job.state === 'running'
  const isTooMuch = useComputed(() => writtenBytes.value - job.droppedBytes > MOST_COPIED_BYTES).value
  return html`<div class="tools small take-along">
    <span class="joined" role="group" aria-label=${words.download}><span class="quiet">${words.download}</span>
      ${button('stdout', isRunning ? undefined : job.stdoutBytes)}${button('stderr', isRunning ? undefined : job.stderrBytes)}
      ${button('output', undefined)}</span>
    ${h(CopyButton, {
      text: () => outputText(view.output, view.shown.peek(), gapText),
      label: isTooMuch ? words.tooMuchToCopy(sizeText(MOST_COPIED_BYTES)) : undefined,
      isDisabled: isTooMuch,
      children: words.copyAll,
    })}
    <span class="fault" role="alert">${fault.value}</span>
  </div>`
}

const gapText = (bytes: number | null): string =>
  bytes === null ? outputWords.unknownGap : outputWords.gap(sizeText(bytes))

/** They fit into a short viewer. */
const SHORT_LINES = 10
/** More makes the programs slow that it is pasted into. */
const MOST_COPIED_BYTES = 4 * 1024 ** 2
