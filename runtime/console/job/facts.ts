import type { ReadonlySignal } from '@preact/signals'
import { type ComponentChild, h } from 'preact'
import type { Job } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { LIMIT_NAMES, LIMITS, type LimitName, shownLimit } from '../limits.ts'
import { moment } from '../moment.ts'
import { sizeText } from '../size.ts'
import { durationText, isTime, runningMs } from '../time.ts'
import { visibleText } from '../visible-text.ts'
import { words } from './fact-words.ts'

export interface FactsProps {
  job: Job
  /** As far as it is known while it runs. */
  writtenBytes: ReadonlySignal<number>
}

/** What else is known of a job; what has nothing to say is left out. */
export const Facts = ({ job, writtenBytes }: FactsProps) => {
  const facts = [
    ...askedOf(job),
    ...whenOf(job),
    ...usedOf(job),
    ...leftOf(job),
    ...outputOf(job, writtenBytes),
  ]
  const rows = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [html`<div><dt>${name}</dt><dd>${value}</dd></div>`],
  )
  return html`<section class="facts" aria-labelledby="facts-title">
    <h2 id="facts-title">${words.facts}</h2><dl>${rows}</dl></section>`
}

type Fact = [name: string, value: ComponentChild | undefined]

const askedOf = ({ caller, client, user, labels, limits }: Job): Fact[] => {
  const pairs = Object.entries(labels)
  const bounds = LIMIT_NAMES.flatMap(name => {
    const value = limits[name]
    return value === undefined ? [] : [limitText(name, value)]
  })
  return [
    [
      words.caller,
      html`<span><a href=${`#/jobs?${new URLSearchParams({ caller })}`}>${visibleText(caller)}</a><span class="quiet">${words.from(client)}</span></span>`,
    ],
    [words.user, user === '' ? html`<span class="quiet">${words.ownUser}</span>` : visibleText(user)],
    [
      words.labels,
      pairs.length > 0 ? listOf(pairs.map(([name, value]) => labelLink(name, value))) : undefined,
    ],
    [words.limits, bounds.length > 0 ? listOf(bounds) : undefined],
  ]
}

const listOf = (entries: ComponentChild[]) =>
  html`<ul class="plain-list">${entries.map(entry => html`<li>${entry}</li>`)}</ul>`

const labelLink = (name: string, value: string) => {
  const filter = new URLSearchParams({ label: `${name}=${value}` })
  return html`<a class="label" href=${`#/jobs?${filter}`}>${visibleText(`${name}=${value}`)}</a>`
}

const limitText = (name: LimitName, value: number): string =>
  `${LIMITS[name].label} ${shownLimit(name, value)}`

const whenOf = (job: Job): Fact[] => {
  const ms = runningMs(job)
  return [
    [words.created, moment(job.createTime)],
    [words.started, isTime(job.startTime) ? moment(job.startTime) : undefined],
    [words.finished, isTime(job.finishTime) ? moment(job.finishTime) : undefined],
    [words.duration, ms === undefined ? undefined : durationText(ms)],
  ]
}

const usedOf = ({ pid, cpu, usage }: Job): Fact[] => {
  const seconds = usage.cpu ?? cpu.user + cpu.system
  const size = (bytes: number | null): string | undefined => (bytes === null ? undefined : sizeText(bytes))
  const [read, written] = [size(usage.readBytes), size(usage.writtenBytes)]
  return [
    [words.pid, pid === 0 ? undefined : String(pid)],
    [words.cpu, seconds === 0 && usage.cpu === null ? undefined : durationText(seconds * 1000)],
    [words.memory, size(usage.memory)],
    [words.peakMemory, size(usage.peakMemory)],
    [words.peakProcesses, usage.peakProcesses === null ? undefined : String(usage.peakProcesses)],
    [words.disk, read === undefined ? undefined : words.readAndWritten(read, written ?? '—')],
  ]
}

const leftOf = ({ leftovers, livingLeftovers, survivors }: Job): Fact[] => [
  [words.leftovers, leftovers > 0 ? words.leftoversText(leftovers, livingLeftovers) : undefined],
  [
    words.survivors,
    survivors.length > 0
      ? listOf(
          survivors.map(
            ({ pid, command }) => html`<span class="fault">${pid} ${visibleText(command)}</span>`,
          ),
        )
      : undefined,
  ],
]

const outputOf = (
  { state, stdoutBytes, stderrBytes, droppedBytes, encoding, id }: Job,
  writtenBytes: ReadonlySignal<number>,
): Fact[] => {
  const each = words.writtenBytes(sizeText(stdoutBytes), sizeText(stderrBytes))
  const dropped = droppedBytes > 0 ? words.dropped(sizeText(droppedBytes)) : ''
  return [
    [words.written, state === 'running' ? h(Written, { writtenBytes }) : each + dropped],
    [words.encoding, encoding === 'utf-8' ? undefined : encoding],
    [words.id, html`<code class="id">${id}</code>`],
  ]
}

/** Drawn by itself: bytes come often. */
const Written = ({ writtenBytes }: Pick<FactsProps, 'writtenBytes'>) =>
  html`<span>${sizeText(writtenBytes.value)}</span>`
