import { type ReadonlySignal, useComputed } from '@preact/signals'
import { h } from 'preact'
import type { ListedJob } from '../../../lib/client/client.ts'
import { commandText } from '../command-text.ts'
import { html } from '../html.ts'
import { jobAddress } from '../route.ts'
import { stateMark } from '../state-mark.ts'
import { durationText, runningMs } from '../time.ts'
import { visibleText, visibleTextOf } from '../visible-text.ts'
import { outcomeOf } from './outcome.ts'
import { shortMoment } from './short-time.ts'
import { words } from './words.ts'

/** What rows do, the same for all of them. */
export interface RowActions {
  selected: ReadonlySignal<string | undefined>
  onLabel(label: string): void
  onCaller(caller: string): void
  onCancel(job: ListedJob): void
  mayCancel(job: ListedJob): boolean
}

export const JobRow = ({ job, actions }: { job: ListedJob; actions: RowActions }) => {
  const isSelected = useComputed(() => actions.selected.value === job.id).value
  const command = commandText(job)
  // A long command is cut by the width of its column; this spares the browser the rest of it.
  const shown = command.length > MOST_LETTERS ? `${command.slice(0, MOST_LETTERS)}…` : command
  return html`<div role="row" class=${`job${isSelected ? ' selected' : ''}`} data-id=${job.id} data-state=${job.state}>
    <div role="cell" class="job-state">${stateMark(job.state)}</div>
    <div role="cell" class="job-command"><a href=${jobAddress(job.id)} title=${visibleTextOf(shown)}>${visibleText(shown)}</a></div>
    <div role="cell" class="job-labels">${Object.entries(job.labels).map(([name, value]) => labelButton(`${name}=${value}`, actions))}</div>
    <div role="cell" class="job-caller">${callerButton(job.caller, actions)}${
      job.user === '' ? null : html`<span class="quiet small"> ${words.asUser(job.user)}</span>`
    }</div>
    <div role="cell" class="job-created">${shortMoment(job.createTime)}</div>
    <div role="cell" class="job-duration">${h(Duration, { job })}</div>
    <div role="cell" class="job-outcome">${
      job.state === 'running' && actions.mayCancel(job) ? cancelButton(job, command, actions) : outcomeOf(job)
    }</div>
  </div>`
}

const MOST_LETTERS = 300

/** It alone is drawn anew each second. */
const Duration = ({ job }: { job: ListedJob }) => {
  const ms = runningMs(job)
  return html`<span>${ms === undefined ? '' : durationText(ms)}</span>`
}

const labelButton = (label: string, { onLabel }: RowActions) =>
  html`<button type="button" class="tag" key=${label} title=${words.onlyLabel(visibleTextOf(label))} onClick=${() => onLabel(label)}>${visibleText(label)}</button>`

const callerButton = (caller: string, { onCaller }: RowActions) =>
  html`<button type="button" class="tag" title=${words.onlyCaller(visibleTextOf(caller))} onClick=${() => onCaller(caller)}>${visibleText(caller)}</button>`

const cancelButton = (job: ListedJob, command: string, { onCancel }: RowActions) =>
  html`<button type="button" class="small" aria-label=${words.cancelJob(command.slice(0, MOST_IN_NAME))}
    onClick=${() => onCancel(job)}>${words.cancel}</button>`

const MOST_IN_NAME = 80
