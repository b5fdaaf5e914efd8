import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { html } from '../html.ts'
import type { JobFeed } from '../jobs/job-feed.ts'
import type { Session } from '../session.ts'
import { AgentFacts } from './agent-facts.ts'
import { DrainDialog } from './drain-dialog.ts'
import { KeyFacts } from './key-facts.ts'
import { LastHour } from './last-hour.ts'
import { LimitsTable } from './limits-table.ts'
import { type Problem, problemsOf } from './problems.ts'
import { words } from './words.ts'

export interface AgentPageProps {
  session: Session
  feed: JobFeed
}

/** How the agent and its host are: what is wrong first. */
export const AgentPage = ({ session, feed }: AgentPageProps) => {
  const isAsking = useSignal(false)
  const agent = session.agent.value
  const running = feed.running.value
  const mayDrain = session.can('admin') && !agent.draining && !agent.stopping
  const onClose = (): void => {
    isAsking.value = false
  }
  const ask = (): void => {
    isAsking.value = true
  }
  return html`<div class="agent">
    <div class="agent-head">
      <h1>${words.title} ${agent.host ? html`<span class="quiet">${words.on(agent.host.name)}</span>` : null}</h1>
      ${mayDrain ? html`<button class="danger" onClick=${ask}>${words.drain}…</button>` : null}
    </div>
    ${problemList(problemsOf(agent, running))}
    ${h(AgentFacts, { agent, running })}
    ${h(LastHour, { session })}
    ${h(LimitsTable, { agent })}
    ${h(KeyFacts, { agent })}
    ${isAsking.value ? h(DrainDialog, { session, running, onClose }) : null}
  </div>`
}

const problemList = (problems: readonly Problem[]) =>
  problems.length === 0
    ? html`<p class="all-well"><span aria-hidden="true">✓</span> ${words.allWell}</p>`
    : html`<ul class="problems" aria-label=${words.attention}>${problems.map(
        ({
          level,
          text,
          detail,
        }) => html`<li class=${level} key=${text}><span aria-hidden="true">${SIGNS[level]}</span>
          <span>${text}${detail === undefined ? null : html` <bdi class="quiet">${detail}</bdi>`}</span></li>`,
      )}</ul>`

const SIGNS = { bad: '✗', warn: '▲' }
