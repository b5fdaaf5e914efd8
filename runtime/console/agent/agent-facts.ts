import type { Agent } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { moment } from '../moment.ts'
import { sizeText } from '../size.ts'
import { durationText, now } from '../time.ts'
import { words } from './words.ts'

/** What the agent and its host are, a fact each. */
export const AgentFacts = ({ agent, running }: { agent: Agent; running: number }) => {
  const { host, store, guardian, audit, guesses } = agent
  const upMs = Math.max(1000, now.value - Date.parse(agent.startTime))
  return html`<section aria-labelledby="facts-title">
    <h2 id="facts-title" class="unseen">${words.facts}</h2>
    <dl class="agent-facts">
      ${fact(words.state, words.states[stateOf(agent)])}
      ${fact(words.slots, meter(running, agent.limit, words.slotsText(running, agent.limit)))}
      ${fact(words.started, moment(agent.startTime), words.uptime(uptimeText(upMs)))}
      ${fact(words.version, agent.version)}
      ${host ? hostFacts(host) : null}
      ${fact(words.disk, diskText(agent))}
      ${fact(words.store, words.storeStates[store.state], sizeOrNotKnown(store.bytes))}
      ${fact(
        words.guardian,
        words.guardianStates[guardian.state],
        guardian.restarts === 0 ? '' : words.restarts(guardian.restarts),
      )}
      ${fact(words.audit, words.auditStates[audit.state])}
      ${fact(words.guesses, words.guessesText(guesses.wrong))}
    </dl>
  </section>`
}

const fact = (name: string, value: unknown, more: unknown = '') =>
  html`<div><dt>${name}</dt><dd>${value}${more === '' ? null : html` <span class="quiet small">${more}</span>`}</dd></div>`

const hostFacts = ({ system, release, machine, cpus, memoryBytes }: NonNullable<Agent['host']>) => [
  fact(words.system, `${system} ${release}`, machine),
  fact(words.processors, cpus),
  fact(words.memory, sizeText(memoryBytes)),
]

const sizeOrNotKnown = (bytes: number | null | undefined): string =>
  bytes === null || bytes === undefined ? words.notKnown : sizeText(bytes)

const stateOf = ({ stopping, draining, store, audit }: Agent): keyof typeof words.states => {
  if (stopping) return 'stopping'
  if (draining) return 'draining'
  return store.state === 'ok' && audit.state === 'ok' ? 'ready' : 'refusing'
}

/** Whole seconds: it ticks once a second. */
const uptimeText = (ms: number): string => durationText(ms).replace(/\.\d/, '')

const meter = (value: number, most: number, text: string) =>
  html`<span class="meter"><meter min="0" max=${most} high=${most * 0.9} optimum="0" value=${value} aria-label=${text}></meter>${text}</span>`

const diskText = ({ disk }: Agent) => {
  if (!disk) return words.notKnown
  const { freeBytes, totalBytes } = disk
  return meter(totalBytes - freeBytes, totalBytes, words.diskText(sizeText(freeBytes), sizeText(totalBytes)))
}
