import type { ReadonlySignal, Signal } from '@preact/signals'
import { h } from 'preact'
import { html } from '../html.ts'
import { SearchBar } from './search-bar.ts'
import type { View } from './view.ts'
import { words } from './words.ts'

/** How the output is shown, and the search. */
export const Toolbar = ({ view, frame }: { view: View; frame: ReadonlySignal<number> }) =>
  html`<div class="tools output-tools" role="group" aria-label=${words.tools}>
    <span class="output-choice" role="group" aria-label=${words.streams}>
      ${(['both', 'stdout', 'stderr'] as const).map(
        shown => html`<button
          key=${shown}
          aria-pressed=${view.shown.value === shown}
          onClick=${() => {
            view.shown.value = shown
          }}
        >${words[shown]}</button>`,
      )}
    </span>
    ${toggle(view.isWrapped, words.wrap, words.wrapHint)}
    ${toggle(view.hasTimes, words.times, words.timesHint)}
    ${toggle(view.hasNumbers, words.numbers, words.numbersHint)}
    ${h(SearchBar, { view, frame })}
    ${followButton(view)}
  </div>`

const followButton = ({ isFollowing, follow }: View) => {
  const onClick = () => {
    if (isFollowing.peek()) isFollowing.value = false
    else follow()
  }
  return html`<button aria-pressed=${isFollowing.value} title=${words.followHint} onClick=${onClick}>${words.follow}</button>`
}

const toggle = (is: Signal<boolean>, name: string, hint: string) => {
  const onClick = () => {
    is.value = !is.value
  }
  return html`<button aria-pressed=${is.value} title=${hint} onClick=${onClick}>${name}</button>`
}
