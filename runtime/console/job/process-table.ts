import type { JobProcess } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { sizeText } from '../size.ts'
import { durationText } from '../time.ts'
import { visibleText } from '../visible-text.ts'
import { type ProcessRow, treeOf } from './process-tree.ts'
import { words } from './use-words.ts'

/** Processes as a tree, each below the one that has started it. */
export const ProcessTable = ({ processes }: { processes: readonly JobProcess[] }) => {
  if (processes.length === 0) return html`<p class="quiet">${words.noProcesses}</p>`
  const rows = treeOf(processes)
  const more = rows.length - MOST_ROWS
  // By the arrow keys one comes to what a narrow page has no room for.
  return html`<div class="table-box" role="group" aria-label=${words.use} tabindex="0"><table class="processes">
    <thead><tr><th scope="col" class="number">${words.pidColumn}</th><th scope="col">${words.commandColumn}</th>
      <th scope="col">${words.stateColumn}</th><th scope="col" class="number">${words.cpuColumn}</th>
      <th scope="col" class="number">${words.memoryColumn}</th></tr></thead>
    <tbody>${rows.slice(0, MOST_ROWS).map(rowOf)}</tbody>
  </table>${more > 0 ? html`<p class="small quiet">${words.moreProcesses(more)}</p>` : null}</div>`
}

const rowOf = ({ process, depth }: ProcessRow) => {
  const { pid, parent, command, state, cpu, residentBytes } = process
  const indent = { paddingInlineStart: `${Math.min(depth, MOST_DEPTH)}rem` }
  return html`<tr key=${pid}>
    <td class="number">${pid}</td>
    <td><code style=${indent}>${depth > 0 ? html`<span class="quiet" aria-hidden="true">└ </span>` : null}${visibleText(command)}</code>
      ${depth > 0 ? html`<span class="unseen">${words.childOf(parent)}</span>` : null}</td>
    <td title=${state}>${words.processStates[state] ?? state}</td>
    <td class="number">${durationText((cpu.user + cpu.system) * 1000)}</td>
    <td class="number">${sizeText(residentBytes)}</td></tr>`
}

/** A fork bomb is not drawn. */
const MOST_ROWS = 100
const MOST_DEPTH = 8
