import type { Agent } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { durationText } from '../time.ts'
import { visibleText } from '../visible-text.ts'
import { words } from './words.ts'

/** As whom the agent knows who looks at it, and what that one may do. */
export const KeyFacts = ({
  agent: { caller },
}: {
  agent: Agent
}) => html`<section aria-labelledby="key-title">
  <h2 id="key-title">${words.key}</h2>
  <dl class="agent-facts">
    <div><dt>${words.keyId}</dt><dd><bdi class="code">${caller.id}</bdi></dd></div>
    <div class="wide"><dt>${words.rights}</dt><dd><ul>${caller.rights.map(
      right =>
        html`<li key=${right}>${words.rightNames[right] ?? right} <span class="quiet code">${right}</span></li>`,
    )}</ul></dd></div>
    ${
      caller.rights.includes('run')
        ? html`<div><dt>${words.jobsRunAs}</dt><dd>${caller.users.length === 0 ? words.ownUser : caller.users.join(', ')}</dd></div>`
        : null
    }
    ${boundsOf(caller).map(([name, value]) => html`<div class="wide" key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>
</section>`

/** What its jobs are held to; what is not bounded is left out. */
const boundsOf = ({ rights, bounds = {} }: Agent['caller']): [name: string, value: unknown][] => {
  const { commands, cwd, timeoutMs, running } = bounds
  if (!rights.includes('run')) return []
  const list = (texts: readonly string[]) =>
    html`<ul>${texts.map(text => html`<li class="code" key=${text}>${visibleText(text)}</li>`)}</ul>`
  const all: (false | [string, unknown])[] = [
    commands !== undefined && [words.onlyCommands, list(commands)],
    cwd !== undefined && [words.onlyIn, list(cwd)],
    timeoutMs !== undefined && [words.longest, words.longestText(durationText(timeoutMs))],
    running !== undefined && [words.atATime, words.atATimeText(running)],
  ]
  return all.filter(one => one !== false)
}
