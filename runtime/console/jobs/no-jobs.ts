import { html } from '../html.ts'
import { filterAddress, NO_FILTER } from './filter.ts'
import { words } from './words.ts'

export interface NoJobsProps {
  mayRun: boolean
  isFiltered: boolean
}

/** What to do where there is nothing to see. */
export const NoJobs = ({ mayRun, isFiltered }: NoJobsProps) => {
  if (isFiltered)
    return html`<div class="jobs-none"><h2>${words.noMatch}</h2><p class="quiet">${words.noMatchHint}</p>
      <p><a class="button" href=${filterAddress(NO_FILTER)}>${words.clear}</a></p></div>`
  return html`<div class="jobs-none"><h2>${words.noJobs}</h2><p class="quiet">${words.runFirstBy}</p>
    <pre class="code">newdt run -- 'df -h'</pre>
    ${mayRun ? html`<p><a class="button" href="#/run">${words.runFirst}</a></p>` : null}</div>`
}
