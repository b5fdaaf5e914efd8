import { effect, type ReadonlySignal, signal, untracked } from '@preact/signals'
import { createBreather } from './breathe.ts'
import type { Output } from './output.ts'
import { createSearch, type Hit, type Search } from './search.ts'
import type { Shown } from './shown-rows.ts'

/** What one looks for. It goes on looking, a little at a time, while output comes. */
export const createViewSearch = (output: Output, shown: ReadonlySignal<Shown>) => {
  const query = signal('')
  const search = signal<Search | undefined>(undefined)
  const current = signal<Hit | undefined>(undefined)
  const version = signal(0)
  const isLooking = signal(false)

  const look = async (): Promise<void> => {
    if (isLooking.peek()) return
    isLooking.value = true
    const breathe = createBreather()
    while (search.peek()?.step()) {
      version.value++
      await breathe()
    }
    isLooking.value = false
    version.value++
  }

  return {
    query: query as ReadonlySignal<string>,
    search: search as ReadonlySignal<Search | undefined>,
    /** The hit that one has gone to. */
    current: current as ReadonlySignal<Hit | undefined>,
    /** Another number whenever more has been found. */
    version: version as ReadonlySignal<number>,
    isLooking: isLooking as ReadonlySignal<boolean>,
    ask(text: string): void {
      query.value = text
      current.value = undefined
      search.value = text === '' ? undefined : createSearch(output, text)
    },
    /** Goes to the next or previous hit: of the current one, or of a row. */
    go(direction: 'next' | 'previous', fromRow: number): Hit | undefined {
      const from = current.peek() ?? { row: fromRow, position: -1 }
      const hit = search.peek()?.[direction](shown.peek(), from)
      if (hit) current.value = hit
      return hit
    },
    /** Looks whenever there is something new, until the result is called. */
    keepLooking: (): (() => void) =>
      effect(() => {
        void output.version.value
        void search.value
        void untracked(look)
      }),
  }
}

export type ViewSearch = ReturnType<typeof createViewSearch>
