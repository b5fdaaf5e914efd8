import type { Agent } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { LIMIT_NAMES, LIMITS, type LimitName, shownLimit } from '../limits.ts'
import { words } from './words.ts'

/** What a job may be limited in here, and whether it may be another user's. */
export const LimitsTable = ({ agent }: { agent: Agent }) => {
  const { limits, defaultLimits, maxLimits, users } = agent
  const row = (name: LimitName) => {
    const support = limits[name]
    const most = 'missing' in support ? undefined : lesser(maxLimits[name], support.most)
    return html`<tr key=${name}>
      <th scope="row">${LIMITS[name].label}</th>
      <td>${'missing' in support ? html`<span class="missing">${words.missing(support.missing)}</span>` : (words.ways[support.by] ?? support.by)}</td>
      <td>${valueText(name, defaultLimits[name])}</td>
      <td>${valueText(name, most)}</td>
    </tr>`
  }
  return html`<section aria-labelledby="limits-title">
    <h2 id="limits-title">${words.limits}</h2>
    <table class="agent-limits">
      <thead><tr><th scope="col">${words.limitColumn}</th><th scope="col">${words.keptBy}</th>
        <th scope="col">${words.defaultColumn}</th><th scope="col">${words.mostColumn}</th></tr></thead>
      <tbody>${LIMIT_NAMES.map(row)}</tbody>
    </table>
    <p class=${'missing' in users ? 'missing' : 'quiet'}>${'missing' in users ? words.usersMissing(users.missing) : words.usersPossible}</p>
  </section>`
}

const lesser = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)

const valueText = (name: LimitName, value: number | undefined): string =>
  value === undefined ? '–' : shownLimit(name, value)
