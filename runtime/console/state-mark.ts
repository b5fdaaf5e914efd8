import type { ListedJob } from '../../lib/client/client.ts'
import { html } from './html.ts'
import { words } from './words.ts'

/** The state of a job, as a word with a sign before it: colour alone tells some people nothing. */
export const stateMark = (state: ListedJob['state']) =>
  html`<span class="state ${state}"><span aria-hidden="true">${SIGNS[state]}</span>${words.states[state]}</span>`

const SIGNS = { running: '●', success: '✓', failed: '✗', canceled: '■', rejected: '⊘' }
