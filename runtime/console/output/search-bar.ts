import type { ReadonlySignal } from '@preact/signals'
import { html } from '../html.ts'
import type { View } from './view.ts'
import { words } from './words.ts'

export const SearchBar = ({ view, frame }: { view: View; frame: ReadonlySignal<number> }) => {
  void frame.value
  const { search } = view
  const onInput = (event: InputEvent) => search.ask((event.currentTarget as HTMLInputElement).value)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') (event.shiftKey ? view.previousHit : view.nextHit)()
    else if (event.key === 'Escape') search.ask('')
    else return
    event.preventDefault()
  }
  const isDisabled = search.search.value === undefined
  return html`<span class="output-search" role="search">
    <input
      type="search"
      aria-label=${words.search}
      placeholder=${words.search}
      spellcheck=${false}
      autocomplete="off"
      value=${search.query.value}
      onInput=${onInput}
      onKeyDown=${onKeyDown}
    />
    <button aria-label=${words.previous} title=${words.previous} disabled=${isDisabled} onClick=${view.previousHit}>↑</button>
    <button aria-label=${words.next} title=${words.next} disabled=${isDisabled} onClick=${view.nextHit}>↓</button>
    <span class="output-count quiet" role="status" aria-busy=${search.isLooking.value}>${hits(view)}</span>
  </span>`
}

const hits = ({ search, shown }: View): string => {
  const found = search.search.value
  if (!found) return ''
  const count = found.count(shown.value)
  const current = search.current.value
  const text = current ? words.hitOf(found.ordinal(shown.value, current), count) : words.hits(count)
  return search.isLooking.value ? `${text}…` : text
}
